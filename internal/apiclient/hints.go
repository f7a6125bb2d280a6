package apiclient

// hints say what to do about a reason, in words that fit any server.
var hints = map[string]string{
	ReasonTimeout:      "The server did not answer in time. If it is merely slow, raise timeout.",
	ReasonNameNotFound: "The host name in the endpoint is not known here. Check the name, or the network of the container.",
	ReasonRefused:      "Nothing listens there. Check host and port of the endpoint.",
	ReasonTLS:          "The TLS handshake failed. Check http against https, and the tls settings.",
	ReasonConnection:   "The connection broke. The server may be restarting.",
	ReasonRedirect:     "Set the endpoint to the address that the server redirects to.",
	ReasonHTML:         "The address is that of a web page. Check the endpoint, and what stands in front of the server.",
	ReasonMalformed:    "The answer is not what such a server gives. Check the endpoint.",
	ReasonTruncated:    "The answer ended in the middle. A proxy in between may cut it.",
	ReasonTooLarge:     "The answer exceeds the limit. If that is right, raise max_response_size.",
	ReasonRateLimit:    "The component asks more often than it may. Raise rate_limit, or collection_interval.",
	"401":              "The server wants credentials, or does not take these.",
	"403":              "The server refuses these credentials.",
	"404":              "The server has no such path. Check the endpoint.",
	"407":              "The proxy in between wants credentials. Set them in proxy_url.",
	"429":              "The server is asked too often, by this component or by others. Ask less often, or raise the limit there.",
	"502":              "What stands in front of the server does not reach it. See the logs of both.",
	"503":              "The server, or what stands in front of it, is not ready. See its log.",
	"504":              "What stands in front of the server waited for it in vain. See the logs of both.",
}

// Hint says what to do about a reason that Reason gave. Components have better
// ones where they know more.
func Hint(reason string) string {
	if hint, ok := hints[reason]; ok {
		return hint
	}
	return "See the server's own log."
}
