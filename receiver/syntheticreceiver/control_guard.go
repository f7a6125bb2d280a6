package syntheticreceiver

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guarded lets only those use the API who may: with a token who has it, without one
// whoever sits at this machine.
func guarded(token string, api http.Handler) http.Handler {
	// A page of another origin must not switch what happens here: browsers send such
	// requests without asking as long as they look like a form.
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case token != "" && !knows(r, token):
			// Basic besides Bearer: it is what browsers ask their users for.
			w.Header().Add("WWW-Authenticate", "Bearer")
			w.Header().Add("WWW-Authenticate", `Basic realm="synthetic site: the token is the password", charset="UTF-8"`)
			answer(w, http.StatusUnauthorized, problem("the control API wants its token: Authorization: Bearer ..., or as the password of any user"))
		case token == "" && !local(r.Host):
			// A name of somebody else that leads here is somebody else's page.
			answer(w, http.StatusForbidden, problem("without a token the control API answers only as localhost or by a loopback address"))
		default:
			api.ServeHTTP(w, r)
		}
	}))
}

// knows says whether a request has the token.
func knows(r *http.Request, token string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		_, given, _ = r.BasicAuth()
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
}

// local says whether a Host header names this machine to itself.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}
