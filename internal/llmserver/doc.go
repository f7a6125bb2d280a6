// Package llmserver tells from the outside of a container what LLM it serves:
// from labels, command, environment and image, before or without asking the
// server itself. What is not said stays empty: absent is not the default.
package llmserver
