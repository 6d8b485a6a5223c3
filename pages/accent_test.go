package pages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextInTheAccentCanBeRead(t *testing.T) {
	for _, s := range []string{"#1f5fd0", "#ffffff", "#000000", "#ffdd00", "#ff0000", "#00FF00", "#777777", "#0000ff"} {
		accent, err := parseColor(s)
		require.NoError(t, err)
		require.GreaterOrEqual(t, contrast(readable(accent, light, black), light), 4.5, s)
		require.GreaterOrEqual(t, contrast(readable(accent, dark, white), dark), 4.5, s)
		require.GreaterOrEqual(t, max(contrast(accent, white), contrast(accent, black)), 4.5, s)
	}
	blue, _ := parseColor("#1f5fd0")
	require.Equal(t, blue, readable(blue, light, black), "what can be read stays")
	require.InDelta(t, 21, contrast(white, black), 0.01)
}
