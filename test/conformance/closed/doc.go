// Package closed is the reference's idea of its documents, written down from the specification of its wire and not from
// Krake's types: what an old client insists on when it reads an answer. Such a client drops keys that it does not know;
// every key that it knows must be there and hold a value of its type, and an enum only what the enum had.
//
// Tests pass every answer of the server through Check, and play an old client by sending what Strip leaves.
// A kind of the reference is one entry in kinds.go; kinds that it never had are not known here.
package closed
