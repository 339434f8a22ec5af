package subnet

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	always := func(n int) func(int) int { return func(int) int { return n } }
	counting := func() func(int) int {
		next := -1
		return func(n int) int { next++; return next % n }
	}
	for name, test := range map[string]struct {
		taken  string
		random func(int) int
		want   string // empty: an error
	}{
		"the first of the first pool":                           {"192.0.2.0/24", always(0), "10.201.0.0/30"},
		"the last of the first pool":                            {"192.0.2.0/24", always(1<<14 - 1), "10.201.255.252/30"},
		"one whose neighbour is taken":                          {"10.201.0.0/30", counting(), "10.201.0.4/30"},
		"the next pool, where the host's network has the first": {"10.0.0.0/8", always(1), "172.29.0.4/30"},
		"the last pool":                                         {"0.0.0.0/1 172.16.0.0/12", always(64), "192.168.129.0/30"},
		"nothing, where everything is taken":                    {"0.0.0.0/1 128.0.0.0/1", counting(), ""},
	} {
		got, err := choose(prefixes(test.taken), test.random, func(netip.Prefix) error { return nil })
		if test.want == "" {
			if err == nil {
				t.Errorf("%s: got %s", name, got)
			}
		} else if err != nil || got.String() != test.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, test.want)
		}
	}
}

func TestAddressesLieInTheSubnet(t *testing.T) {
	p := netip.MustParsePrefix("10.201.7.252/30")
	if Host(p).String() != "10.201.7.253" || Node(p).String() != "10.201.7.254" {
		t.Errorf("the host has %s, the node %s", Host(p), Node(p))
	}
}

func TestReservationsDiffer(t *testing.T) {
	seen := map[netip.Prefix]bool{}
	for range 20 {
		p, held, err := Reserve(netip.Prefix{})
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		if seen[p] {
			t.Errorf("%s was given away twice", p)
		}
		seen[p] = true
		if _, _, err := Reserve(p); !errors.Is(err, ErrInUse) {
			t.Errorf("%s was given away while it was in use: %v", p, err)
		}
	}
}

func TestSubnetOfTheHostIsRefused(t *testing.T) {
	if _, _, err := Reserve(netip.MustParsePrefix("127.0.0.0/30")); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v", err)
	}
}

func prefixes(list string) []netip.Prefix {
	var found []netip.Prefix
	for word := range strings.FieldsSeq(list) {
		found = append(found, netip.MustParsePrefix(word))
	}
	return found
}
