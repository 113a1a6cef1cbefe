// Package authn has the types Oathkeeper's templates see, under the names their messages show.
package authn

import (
	"net/http"
	"net/url"

	"github.com/mitchellh/copystructure"
)

// AuthenticationSession is the root of every template.
type AuthenticationSession struct {
	Subject      string                 `json:"subject"`
	Extra        map[string]interface{} `json:"extra"`
	Header       http.Header            `json:"header"`
	MatchContext MatchContext           `json:"match_context"`
}

// MatchContext is what the rule's pattern matched.
type MatchContext struct {
	RegexpCaptureGroups []string    `json:"regexp_capture_groups"`
	URL                 *url.URL    `json:"url"`
	Method              string      `json:"method"`
	Header              http.Header `json:"header"`
}

// SetHeader gives nothing back, which templates cannot call.
func (s *AuthenticationSession) SetHeader(key, value string) {
	s.Header.Set(key, value)
}

// Copy is the one method templates can call.
func (s *AuthenticationSession) Copy() *AuthenticationSession {
	return copystructure.Must(copystructure.Copy(s)).(*AuthenticationSession)
}
