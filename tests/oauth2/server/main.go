// An OAuth 2.0 authorization server on fosite, the engine inside Ory Hydra, for the tests of the gateway: client
// credentials, introspection by whoever proves itself (RFC 7662 section 2.1), revocation (RFC 7009). All in memory.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"golang.org/x/crypto/bcrypt"
)

// The lives of tokens: one nobody sees the end of, and one that a test waits for.
const (
	long  = time.Hour
	brief = 2 * time.Second
)

func main() {
	address := flag.String("listen", "127.0.0.1:4444", "where to listen")
	flag.Parse()
	if err := serve(*address); err != nil {
		log.Fatal(err)
	}
}

func serve(address string) error {
	config := &fosite.Config{
		AccessTokenLifespan: long,
		AccessTokenIssuer:   "http://" + address,
		GlobalSecret:        []byte("a secret of at least 32 characters"),
		ScopeStrategy:       fosite.WildcardScopeStrategy,
	}
	store, err := clients()
	if err != nil {
		return err
	}
	provider := compose.Compose(config, store,
		&compose.CommonStrategy{CoreStrategy: compose.NewOAuth2HMACStrategy(config)},
		compose.OAuth2ClientCredentialsGrantFactory,
		compose.OAuth2TokenIntrospectionFactory,
		compose.OAuth2TokenRevocationFactory,
	)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token", func(w http.ResponseWriter, r *http.Request) { token(provider, w, r) })
	mux.HandleFunc("POST /oauth2/introspect", func(w http.ResponseWriter, r *http.Request) { introspect(provider, w, r) })
	mux.HandleFunc("POST /oauth2/revoke", func(w http.ResponseWriter, r *http.Request) {
		provider.WriteRevocationResponse(r.Context(), w, provider.NewRevocationRequest(r.Context(), r))
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return http.Serve(listener, mux)
}

// clients knows who may ask: two services, one of them with brief tokens, and the gateway, whose tokens introspect.
func clients() (*storage.MemoryStore, error) {
	store := storage.NewMemoryStore()
	for _, client := range []struct {
		id, secret string
		scopes     []string
		life       time.Duration
	}{
		{"service", "secret of the service", []string{"read", "write"}, long},
		{"briefly", "secret of the brief", []string{"read"}, brief},
		{"per%cent", "a+b &c%", []string{"read"}, long},
		{"gateway", "secret of the gateway", []string{"introspect"}, long},
	} {
		hash, err := bcrypt.GenerateFromPassword([]byte(client.secret), bcrypt.MinCost)
		if err != nil {
			return nil, err
		}
		life := client.life
		store.Clients[client.id] = &fosite.DefaultClientWithCustomTokenLifespans{
			DefaultClient: &fosite.DefaultClient{
				ID:         client.id,
				Secret:     hash,
				GrantTypes: []string{"client_credentials"},
				Scopes:     client.scopes,
				Audience:   []string{"https://api.example.com"},
			},
			TokenLifespans: &fosite.ClientLifespanConfig{ClientCredentialsGrantAccessTokenLifespan: &life},
		}
	}
	return store, nil
}

func session(subject string) *fosite.DefaultSession {
	return &fosite.DefaultSession{Subject: subject, Username: subject, ExpiresAt: map[fosite.TokenType]time.Time{}}
}

func token(provider fosite.OAuth2Provider, w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := provider.NewAccessRequest(ctx, r, session(""))
	if err != nil {
		provider.WriteAccessError(ctx, w, request, err)
		return
	}
	request.SetSession(named(request))
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	for _, audience := range request.GetRequestedAudience() {
		request.GrantAudience(audience)
	}
	response, err := provider.NewAccessResponse(ctx, request)
	if err != nil {
		provider.WriteAccessError(ctx, w, request, err)
		return
	}
	provider.WriteAccessResponse(ctx, w, request, response)
}

// named is the session of a client, which is its own subject; the end of its token stays as it was decided.
func named(request fosite.AccessRequester) fosite.Session {
	own := session(request.GetClient().GetID())
	own.SetExpiresAt(fosite.AccessToken, request.GetSession().GetExpiresAt(fosite.AccessToken))
	return own
}

func introspect(provider fosite.OAuth2Provider, w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	response, err := provider.NewIntrospectionRequest(ctx, r, session(""))
	if err != nil {
		provider.WriteIntrospectionError(ctx, w, err)
		return
	}
	provider.WriteIntrospectionResponse(ctx, w, response)
}
