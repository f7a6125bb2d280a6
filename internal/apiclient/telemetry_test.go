package apiclient

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient/internal/metadatatest"
)

// of are the attributes of a data point of target.
func of(more ...attribute.KeyValue) attribute.Set {
	return attribute.NewSet(append(more, attribute.String("component", "some/thing"), attribute.String("endpoint", "/models"))...)
}

func point(value int64, attributes attribute.Set) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Value: value, Attributes: attributes}
}

func TestTelemetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := func(n int) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return inTurn(500, 200, 401)(n)
		}
		c, _, tel := newStubbed(t, answers, breaker(5))
		same := metricdatatest.IgnoreTimestamp()
		open := func(value int64) {
			t.Helper()
			metadatatest.AssertEqualApiclientBreakerOpen(t, tel, []metricdata.DataPoint[int64]{point(value, of())}, same)
		}

		models := NewCached(c, target.Endpoint, time.Minute, func(ctx context.Context) (bool, error) { return true, ask(ctx, c) })
		for range 3 { // 500 and 200, then nothing
			_, _, err := models.Get(t.Context())
			require.NoError(t, err)
		}
		open(0)
		for range 3 { // 401, then nothing
			require.Error(t, ask(t.Context(), c))
		}
		open(1)
		metadatatest.AssertEqualApiclientRequests(t, tel, []metricdata.DataPoint[int64]{
			point(1, of()), point(1, of(attribute.String("error.type", "500"))), point(1, of(attribute.String("error.type", "401"))),
		}, same)
		metadatatest.AssertEqualApiclientRetries(t, tel, []metricdata.DataPoint[int64]{point(1, of())}, same)
		metadatatest.AssertEqualApiclientCacheHits(t, tel, []metricdata.DataPoint[int64]{point(2, of())}, same)
		metadatatest.AssertEqualApiclientRequestDuration(t, tel, []metricdata.HistogramDataPoint[float64]{{
			Attributes: of(), Count: 3, Sum: 6, Min: metricdata.NewExtrema(2.0), Max: metricdata.NewExtrema(2.0),
			Bounds:       []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
			BucketCounts: []uint64{0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0},
		}}, same)

		time.Sleep(6 * time.Minute)
		c.http.Transport.(*stub).answers = always(200)
		require.NoError(t, ask(t.Context(), c))
		open(0)
	})
}

// TestBrokenOffIsNoRequest: the end of the collector is no failure of the server.
func TestBrokenOffIsNoRequest(t *testing.T) {
	c, _, tel := newStubbed(t, func(int) (*http.Response, error) { return nil, context.Canceled })
	require.ErrorIs(t, ask(t.Context(), c), context.Canceled)
	_, err := tel.GetMetric("otelcol_apiclient_requests")
	require.Error(t, err)
}

func TestNoBreakerNoGauge(t *testing.T) {
	c, _, tel := newStubbed(t, always(401), noRetry, breaker(0))
	require.Error(t, ask(t.Context(), c))
	_, err := tel.GetMetric("otelcol_apiclient_breaker_open")
	require.Error(t, err)
	_, err = tel.GetMetric("otelcol_apiclient_requests")
	require.NoError(t, err)
}
