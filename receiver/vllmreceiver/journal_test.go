package vllmreceiver

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

func TestJournal(t *testing.T) {
	const (
		cannot  = "warn The vLLM server cannot be read."
		part    = "warn The vLLM server can be read only in part."
		again   = "info The vLLM server is read again."
		changed = " The vLLM server changed its state."
		unknown = "info The vLLM server has metrics that this receiver does not know; they are counted in vllm.scrape.unknown_series."
	)
	good := status{up: true, state: stateReady}
	down := status{state: stateUnreachable, reason: apiclient.ReasonRefused}
	failing := errors.New("x")
	type event struct {
		st    status
		err   error
		tally tally
		want  []string
	}
	tests := []struct {
		name   string
		events []event
	}{
		{"good", []event{{good, nil, tally{}, []string{"info" + changed}}, {good, nil, tally{}, nil}}},
		{"down and up", []event{
			{down, failing, tally{}, []string{cannot}},
			{down, failing, tally{}, nil},
			{status{state: stateUnreachable, reason: apiclient.ReasonTimeout}, failing, tally{}, []string{cannot}},
			{good, nil, tally{}, []string{again}},
			{good, nil, tally{}, nil},
		}},
		{"in part", []event{
			{status{up: true, state: stateReady, reason: reasonInvalidValue}, nil, tally{invalid: 2, firstInvalid: "vllm:x"}, []string{part}},
			{status{up: true, state: stateReady, reason: reasonInvalidValue}, nil, tally{invalid: 9, firstInvalid: "vllm:y"}, nil},
		}},
		{"states", []event{
			{good, nil, tally{}, []string{"info" + changed}},
			{status{up: true, state: stateStuck}, nil, tally{}, []string{"warn" + changed}},
			{status{up: true, state: stateFailed}, nil, tally{}, []string{"warn" + changed}},
			{status{up: true, state: stateSleeping}, nil, tally{}, []string{"info" + changed}},
		}},
		{"unknown", []event{
			{good, nil, tally{unknown: 1, firstUnknown: "vllm:new"}, []string{"info" + changed, unknown}},
			{good, nil, tally{unknown: 1, firstUnknown: "vllm:new"}, nil},
			{down, failing, tally{}, []string{cannot}},
			{good, nil, tally{unknown: 1, firstUnknown: "vllm:new"}, []string{again}},
			{good, nil, tally{}, nil},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			core, logs := observer.New(zap.DebugLevel)
			j := newJournal(zap.New(core))
			for i, e := range tt.events {
				j.status(e.st, e.err, &e.tally)
				var lines []string
				for _, entry := range logs.TakeAll() {
					lines = append(lines, entry.Level.String()+" "+entry.Message)
				}
				assert.Equal(t, e.want, lines, "event %d", i)
			}
		})
	}
}

func TestJournalModels(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	j := newJournal(zap.New(core))
	for _, step := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{&apiclient.StatusError{Code: 401}, 1},
		{&apiclient.StatusError{Code: 401}, 0},
		{&apiclient.StatusError{Code: 404}, 1},
		{nil, 0},
		{&apiclient.StatusError{Code: 404}, 1},
	} {
		j.models(step.err)
		assert.Len(t, logs.TakeAll(), step.want)
	}
}
