package pages

import (
	"fmt"
	"regexp"
	"strings"
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

// colorsOf returns the custom properties of a style sheet, by scheme and name.
func colorsOf(t *testing.T, style string) map[string]map[string]color {
	t.Helper()
	colors := map[string]map[string]color{"light": {}, "dark": {}}
	common, darker, found := strings.Cut(style, "prefers-color-scheme:dark")
	require.True(t, found, style)
	for _, part := range []struct{ text, scheme string }{{common, "light"}, {common, "dark"}, {darker, "dark"}} {
		for _, m := range regexp.MustCompile(`--([a-z-]+):\s*(#[0-9a-f]{6})\b`).FindAllStringSubmatch(part.text, -1) {
			c, err := parseColor(m[2])
			require.NoError(t, err)
			colors[part.scheme][m[1]] = c
		}
	}
	return colors
}

func TestEveryShapeInTheAccentStandsOut(t *testing.T) {
	backgrounds := map[string][]color{"light": {white, light}, "dark": {dark, {0x14, 0x17, 0x1c}}}
	var accents []string
	for _, r := range []int{0, 0x1f, 0x5f, 0x80, 0xc0, 0xff} {
		for _, g := range []int{0, 0x1f, 0x5f, 0x80, 0xc0, 0xff} {
			for _, b := range []int{0, 0x1f, 0x5f, 0x80, 0xd0, 0xff} {
				accents = append(accents, fmt.Sprintf("#%02x%02x%02x", r, g, b))
			}
		}
	}
	for _, s := range accents {
		accent, err := parseColor(s)
		require.NoError(t, err)
		for scheme, colors := range colorsOf(t, brandStyle(accent)) {
			for _, background := range backgrounds[scheme] {
				for _, name := range []string{"accent-text", "accent-edge", "chart-people", "chart-unique", "chart-rule"} {
					require.GreaterOrEqual(t, contrast(colors[name], background), 3.0, "%s of %s on %v, %s", name, s, background, scheme)
				}
				require.GreaterOrEqual(t, contrast(colors["accent-text"], background), 4.5, "text of %s on %v, %s", s, background, scheme)
			}
			require.GreaterOrEqual(t, contrast(colors["chart-unique"], colors["chart-people"]), 3.0, "bars of %s upon each other, %s", s, scheme)
		}
	}
}
