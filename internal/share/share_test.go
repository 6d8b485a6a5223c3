package share

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAClientHoldsItsShareAndNoMore(t *testing.T) {
	var p Pool
	all := Limit{"all", 5}
	take := func(client string) bool { return p.Take(append(Of(client, 2, 3), all)...) }
	require.True(t, take("192.0.2.1"))
	require.True(t, take("192.0.2.1"))
	require.False(t, take("192.0.2.1"), "a client has its limit")
	require.True(t, take("192.0.2.2"), "another one is not concerned")
	p.Release(append(Of("192.0.2.1", 2, 3), all)...)
	require.True(t, take("192.0.2.1"), "a place that was given back is free")
	require.True(t, take("192.0.2.3"))
	require.True(t, take("192.0.2.4"))
	require.False(t, take("192.0.2.5"), "all places are taken")
}

func TestTheNetworksOfASiteShareItsLimit(t *testing.T) {
	var p Pool
	require.True(t, p.Take(Of("2001:db8:1:1::", 2, 3)...))
	require.True(t, p.Take(Of("2001:db8:1:2::", 2, 3)...))
	require.True(t, p.Take(Of("2001:db8:1:3::", 2, 3)...))
	require.False(t, p.Take(Of("2001:db8:1:4::", 2, 3)...))
	require.True(t, p.Take(Of("2001:db8:2:1::", 2, 3)...), "another site is not concerned")
	for _, client := range []string{"2001:db8:1:1::", "2001:db8:1:2::", "2001:db8:1:3::", "2001:db8:2:1::"} {
		p.Release(Of(client, 2, 3)...)
	}
	require.Empty(t, p.held, "who holds nothing takes no memory")
}

func TestOnlyAddressesOfVersion6AreInASite(t *testing.T) {
	for client, want := range map[string]string{
		"2001:db8:1:2:3::4": "2001:db8:1::/48", "192.0.2.1": "", "::ffff:192.0.2.1": "", "@": "", "": "", "somebody": "", "fe80::1%eth0": "fe80::/48",
	} {
		require.Equal(t, want, Site(client), client)
	}
}
