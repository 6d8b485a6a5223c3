package transfer

import "testing"

func TestTheSeparatorIsWhatTheFirstLineHasMostOfOutsideQuotes(t *testing.T) {
	for line, want := range map[string]byte{
		"path,external_url": ',', "path;external_url;title": ';', "path\texternal_url": '\t', "external_url": ',', "": ',',
		`"a;b;c;d",external_url`: ',', `"one, two, three";external_url`: ';', `"a ""quoted, "" word";external_url`: ';',
	} {
		if got := separator([]byte(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
