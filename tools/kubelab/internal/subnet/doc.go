// Package subnet chooses the network between the host and a real node: a /30
// with one address for each. The node's address is where users reach the
// cluster's API server and its node ports.
//
// The choice is a pure function over what is taken; looking at the host and
// keeping others from taking the same are beside it.
package subnet
