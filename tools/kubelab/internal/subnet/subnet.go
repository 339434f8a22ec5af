package subnet

import (
	"errors"
	"fmt"
	"net/netip"
)

// bits makes room for two hosts.
const bits = 30

// tries is how often a pool is asked for a free subnet. A pool in which that
// many random ones are taken is as good as full.
const tries = 100

// pools are where subnets are taken from: the first one unless the host's own
// network lies there. They keep clear of the ranges of pods and services.
var pools = []netip.Prefix{
	netip.MustParsePrefix("10.201.0.0/16"),
	netip.MustParsePrefix("172.29.0.0/16"),
	netip.MustParsePrefix("192.168.128.0/17"),
}

// ErrInUse says that somebody else has the subnet.
var ErrInUse = errors.New("the subnet is in use")

// Of is the subnet of an address.
func Of(address netip.Addr) netip.Prefix { return netip.PrefixFrom(address, bits).Masked() }

// Host is the host's address in a subnet.
func Host(p netip.Prefix) netip.Addr { return p.Addr().Next() }

// Node is the node's address in a subnet.
func Node(p netip.Prefix) netip.Addr { return Host(p).Next() }

// choose returns a subnet that overlaps with nothing that is taken and that
// reserve accepts. random returns a number from 0 to n-1.
func choose(taken []netip.Prefix, random func(n int) int, reserve func(netip.Prefix) error) (netip.Prefix, error) {
	for _, pool := range pools {
		for range tries {
			candidate := nth(pool, random(1<<(bits-pool.Bits())))
			if overlaps(candidate, taken) {
				continue
			}
			if err := reserve(candidate); err == nil {
				return candidate, nil
			} else if !errors.Is(err, ErrInUse) {
				return netip.Prefix{}, err
			}
		}
	}
	return netip.Prefix{}, fmt.Errorf("no free subnet was found in %v", pools)
}

// nth is the subnet number n of a pool.
func nth(pool netip.Prefix, n int) netip.Prefix {
	address := pool.Addr().As4()
	offset := n << (32 - bits)
	address[2] += byte(offset >> 8)
	address[3] += byte(offset)
	return netip.PrefixFrom(netip.AddrFrom4(address), bits)
}

func overlaps(p netip.Prefix, taken []netip.Prefix) bool {
	for _, t := range taken {
		if p.Overlaps(t) {
			return true
		}
	}
	return false
}
