package subnet

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// A Reservation keeps other clusters on this machine from taking the subnet. It
// is a unix socket in the abstract name space: it ends with the process and
// leaves nothing behind.
type Reservation = net.Listener

// Reserve takes the subnet wanted, or any that is free if wanted is the zero
// one. The reservation holds until the process ends.
func Reserve(wanted netip.Prefix) (netip.Prefix, Reservation, error) {
	taken, err := onHost()
	if err != nil {
		return wanted, nil, fmt.Errorf("looking at the networks of the host: %w", err)
	}
	if wanted.IsValid() {
		if overlaps(wanted, taken) {
			return wanted, nil, fmt.Errorf("%w: the host has an address or a route in %s", ErrInUse, wanted)
		}
		held, err := reserve(wanted)
		return wanted, held, err
	}
	var held Reservation
	chosen, err := choose(taken, rand.IntN, func(p netip.Prefix) (err error) {
		held, err = reserve(p)
		return err
	})
	return chosen, held, err
}

func reserve(p netip.Prefix) (Reservation, error) {
	held, err := net.Listen("unix", "@kubelab-subnet-"+p.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %s belongs to another cluster", ErrInUse, p)
	}
	return held, nil
}

// onHost returns the networks that the host has addresses in or routes to. The
// default route is none of them.
func onHost() ([]netip.Prefix, error) {
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	var found []netip.Prefix
	for _, address := range addresses {
		found = add(found, address.IPNet)
	}
	for _, route := range routes {
		found = add(found, route.Dst)
	}
	return found, nil
}

func add(to []netip.Prefix, network *net.IPNet) []netip.Prefix {
	if network == nil {
		return to
	}
	address, ok := netip.AddrFromSlice(network.IP.To4())
	length, _ := network.Mask.Size()
	if !ok || length == 0 {
		return to
	}
	return append(to, netip.PrefixFrom(address, length).Masked())
}
