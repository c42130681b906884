// SPDX-License-Identifier: Apache-2.0

// Package v3 is empty: Istio imports it only for what it would register.
package v3
