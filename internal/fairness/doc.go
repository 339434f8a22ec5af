// Package fairness lets a bounded number of requests work at a time and makes the others wait in a line for each client.
// A place that becomes free goes to the lines by turns, so a client waits for as many requests as there are clients and
// not for as many as the busiest of them sends.
//
// It knows nothing of HTTP and of what the requests are.
package fairness
