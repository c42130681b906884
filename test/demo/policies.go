// SPDX-License-Identifier: Apache-2.0

package main

// sharedFrontend shares the frontend's requests between the clusters.
const sharedFrontend = `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: frontend, namespace: guestbook}
spec:
  service: {name: frontend, ports: [{port: 80, protocol: tcp}]}
  exports: {from: {clusters: [local-cluster, managed-cluster]}}
  rules:
  - backends:
    - {cluster: local-cluster, weight: 75}
    - {cluster: managed-cluster, weight: 25}
`

// brokenFrontend has two mistakes, on lines 11 and 12.
const brokenFrontend = `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: frontend, namespace: guestbook}
spec:
  service: {name: frontend, ports: [{port: 80, protocol: tcp}]}
  exports: {from: {clusters: [local-cluster, managed-cluster]}}
  rules:
  - backends:
    - {cluster: local-cluster, weight: 50}
    # two mistakes
    - {cluster: managed-cluster, wieght: 50}
    - {cluster: managed-clutser}
`
