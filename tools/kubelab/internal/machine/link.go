package machine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// A Link joins the host and a machine.
type Link struct {
	Name string       // of the interface on the host, 1 to 15 bytes
	Host netip.Prefix // the host's address, with the length of the subnet
	Node netip.Prefix // the machine's
}

// inside is the name of the machine's interface.
const inside = "eth0"

// Connect makes the link. through are networks of the node's own that its
// programs may ask for; without a route the kernel would refuse before the
// node's proxy sees what they send. There is no default route: nothing that the
// node sends leaves the host.
func (m Machine) Connect(link Link, through ...netip.Prefix) error {
	pair := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: link.Name},
		PeerName:      inside,
		PeerNamespace: netlink.NsPid(m),
	}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("making the link %s: %w", link.Name, err)
	}
	host, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer host.Close()
	if _, err := setUp(host, link.Name, link.Host); err != nil {
		return err
	}
	network, err := netns.GetFromPid(int(m))
	if err != nil {
		return err
	}
	defer network.Close()
	node, err := netlink.NewHandleAt(network)
	if err != nil {
		return err
	}
	defer node.Close()
	if _, err := setUp(node, "lo", netip.Prefix{}); err != nil {
		return err
	}
	outside, err := setUp(node, inside, link.Node)
	if err != nil {
		return err
	}
	for _, network := range through {
		route := &netlink.Route{LinkIndex: outside.Attrs().Index, Dst: ipNet(network), Scope: netlink.SCOPE_LINK}
		if err := node.RouteAdd(route); err != nil {
			return fmt.Errorf("adding a route to %s: %w", network, err)
		}
	}
	return nil
}

// setUp gives an interface an address, if there is one, and turns it on.
func setUp(at *netlink.Handle, name string, address netip.Prefix) (netlink.Link, error) {
	found, err := at.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("looking for the interface %s: %w", name, err)
	}
	if address.IsValid() {
		if err := at.AddrAdd(found, &netlink.Addr{IPNet: ipNet(address)}); err != nil {
			return nil, fmt.Errorf("giving %s the address %s: %w", name, address, err)
		}
	}
	if err := at.LinkSetUp(found); err != nil {
		return nil, fmt.Errorf("turning on %s: %w", name, err)
	}
	return found, nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// disconnect removes the host's end of a link, and with it the other one. A
// link that does not exist is as good as removed.
func disconnect(name string) error {
	found, err := netlink.LinkByName(name)
	if _, ok := errors.AsType[netlink.LinkNotFoundError](err); ok {
		return nil
	}
	if err != nil {
		return err
	}
	if err := netlink.LinkDel(found); err != nil {
		return fmt.Errorf("removing the link %s: %w", name, err)
	}
	return nil
}
