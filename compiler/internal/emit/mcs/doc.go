// SPDX-License-Identifier: Apache-2.0

// Package mcs emits the objects of the Multi-Cluster Services API (KEP-1645):
// a ServiceExport in every exporter, a ServiceImport in every consumer.
//
// Out of scope: endpoints, conditions and DNS.
package mcs
