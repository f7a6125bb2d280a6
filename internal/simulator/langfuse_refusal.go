package simulator

import (
	"fmt"
	"net/http"
)

// langfuseRefusal is an answer that is no data: a status and a body, JSON unless text is set.
type langfuseRefusal struct {
	status int
	body   any
	text   string // HTML or plain
}

// badQuery is what its own checks say of a query.
func badQuery(format string, args ...any) *langfuseRefusal {
	return &langfuseRefusal{status: http.StatusBadRequest, body: map[string]any{
		"message": fmt.Sprintf(format, args...), "error": "InvalidRequestError",
	}}
}

// badData is what the schema of the parameters says: a list of issues, here always of one.
func badData(path, format string, args ...any) *langfuseRefusal {
	return &langfuseRefusal{status: http.StatusBadRequest, body: map[string]any{
		"message": "Invalid request data",
		"error":   []any{map[string]any{"code": "custom", "path": []string{path}, "message": fmt.Sprintf(format, args...)}},
	}}
}

// refuse is a status with a message and the name of the error.
func refuse(status int, name, message string) *langfuseRefusal {
	return &langfuseRefusal{status: status, body: map[string]any{"message": message, "error": name}}
}

// noRoute is what Next.js answers where there is none, so also for what came with a later version.
func noRoute() *langfuseRefusal {
	return &langfuseRefusal{
		status: http.StatusNotFound,
		text:   `<!DOCTYPE html><html lang="en"><head><title>404: This page could not be found</title></head><body></body></html>`,
	}
}

// tooWide is what the data base (422) or the edge in front of it (504, 524) says of a query over too long a time.
func tooWide(status int) *langfuseRefusal {
	if status == http.StatusUnprocessableEntity {
		return refuse(status, "Request timed out", "Your query could not be completed because it required too many resources. "+
			"Please narrow your request by adding more specific filters (e.g., a shorter date range).")
	}
	return &langfuseRefusal{status: status, text: fmt.Sprintf("error code: %d", status)}
}
