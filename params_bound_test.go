package linktrack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Parameters are read before the login is known.
func TestManyParametersAreRefusedAndCostLittle(t *testing.T) {
	const size = 1 << 20
	for name, s := range map[string]string{
		"names": strings.Repeat("a&", size/2), "pairs": strings.Repeat("=&", size/2), "links": strings.Repeat("external_url=http://&pass=&", size/27),
	} {
		var inv *InvalidError
		require.ErrorAs(t, params{}.parse(s, true), &inv, name)
		require.Equal(t, "the query must have at most 1000 parameters", inv.Error(), name)
		require.ErrorContains(t, params{}.parse(s, false), "the body must have at most 1000 parameters", name)
		require.LessOrEqual(t, testing.AllocsPerRun(1, func() { params{}.parse(s, true) }), 100.0, name)
	}
	p := params{}
	require.NoError(t, p.parse(strings.Repeat("&", size)+"login=x"+strings.Repeat("&", size), true))
	require.Equal(t, params{"login": "x"}, p, "what is empty is no parameter")
	require.NoError(t, params{}.parse(strings.Repeat("a=b&", maxPairs), true))
	require.NoError(t, p.parse("title="+strings.Repeat("%41+", 1000), false))
	require.Equal(t, strings.Repeat("A ", 1000), p["title"])
}

func BenchmarkParamsOfAMegabyte(b *testing.B) {
	for name, s := range map[string]string{
		"ampersands": strings.Repeat("&", 1<<20), "names": strings.Repeat("a&", 1<<19), "escapes": "title=" + strings.Repeat("%41", 1<<20/3), "pluses": "title=" + strings.Repeat("+", 1<<20),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				params{}.parse(s, false)
			}
		})
	}
}
