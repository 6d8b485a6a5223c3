package program

import (
	"context"
	"log/slog"
	"time"

	"github.com/linktrackhq/linktrack/geo"
	"github.com/linktrackhq/linktrack/internal/incident"
)

// openGeo opens a file of countries and checks every hour whether it was
// replaced. The function that it returns stops this and closes the file.
func openGeo(ctx context.Context, file string, logger *slog.Logger) (*geo.DB, func(), error) {
	countries, err := geo.Open(file)
	if err != nil {
		return nil, nil, err
	}
	hourly, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		reloadHourly(hourly, countries, logger)
	}()
	return countries, func() {
		stop()
		<-ended
		countries.Close()
	}, nil
}

func reloadHourly(ctx context.Context, countries *geo.DB, logger *slog.Logger) {
	hour := time.NewTicker(time.Hour)
	defer hour.Stop()
	failing := incident.Incident{Log: logger, Began: "the country file could not be reloaded; the one that was loaded before stays in use"}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hour.C:
			changed, err := countries.Reload()
			failing.Report(err)
			if changed {
				logger.Info("the country file was reloaded")
			}
		}
	}
}
