package e2e

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/memstore"
)

func TestAForgivenPathReachesTheServerAsItIsSent(t *testing.T) {
	s := trackertest.NewService(t, memstore.New(), linktrack.Options{})
	s.MakeLink("vanity_link", "spring_sale")
	server := httptest.NewServer(s.Handler)
	defer server.Close()
	for _, path := range []string{"/spring_sale/", "//spring_sale", "/spring_sale%20", "/spring_sale”", "/spring_sale&utm_source=x"} {
		r, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
		require.NoError(t, err)
		resp, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "https://example.com/page", resp.Header.Get("Location"), path)
	}
}
