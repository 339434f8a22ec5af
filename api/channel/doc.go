// Package channel is the protocol of exec and portforward: messages over a WebSocket, of which the first byte says what the
// rest is for. It is the one that Kubernetes speaks (v5.channel.k8s.io), so that its clients can be used with Krake, and
// what Krake gets from a member cluster is passed on as it is.
//
// The package knows how messages look and how a session ends; what they are for is the business of their two ends.
package channel
