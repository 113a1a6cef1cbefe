// Makes keys.json and tokens.json beside it: keys as go-jose writes them, and tokens that golang-jwt signed with them, in
// the versions that Oathkeeper v26.2.0 has. Nothing but these tests uses the keys. Run it with `go run .` in its folder;
// the tests do not need Go.
package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"

	"github.com/go-jose/go-jose/v3"
	"github.com/golang-jwt/jwt/v5"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	r := must(rsa.GenerateKey(rand.Reader, 2048))
	r2 := must(rsa.GenerateKey(rand.Reader, 2048))
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	e256 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	e384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	e521 := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	oct := make([]byte, 64)
	rand.Read(oct)
	keys := map[string]any{"RS": r, "other": r2, "weak": weak, "P-256": e256, "P-384": e384, "P-521": e521, "Ed25519": ed, "oct": oct}
	out := map[string]any{}
	for name, k := range keys {
		out[name] = jwk(jose.JSONWebKey{Key: k, KeyID: name, Use: "sig"})
	}
	b := must(json.MarshalIndent(out, "", "  "))
	os.WriteFile("keys.json", append(b, '\n'), 0o644)

	tokens := map[string]string{}
	by := map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519", "HS256": "oct", "HS384": "oct", "HS512": "oct"}
	for _, alg := range []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		name, ok := by[alg]
		if !ok {
			name = "RS"
		}
		t := jwt.NewWithClaims(jwt.GetSigningMethod(alg), jwt.MapClaims{"sub": "ada", "exp": 4102444800, "n": 1.5})
		t.Header["kid"] = name
		tokens[alg] = must(t.SignedString(keys[name]))
	}
	m := *jwt.SigningMethodPS256
	m.Options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}
	t := jwt.NewWithClaims(&m, jwt.MapClaims{"sub": "ada", "exp": 4102444800})
	t.Header["kid"] = "RS"
	tokens["PS256, longest salt"] = must(t.SignedString(r))
	tw := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"sub": "ada"})
	tw.Header["kid"] = "weak"
	tokens["RS256, 1024 bits"] = must(tw.SignedString(weak))
	b = must(json.MarshalIndent(tokens, "", "  "))
	os.WriteFile("tokens.json", append(b, '\n'), 0o644)
}

func jwk(k jose.JSONWebKey) json.RawMessage { return must(k.MarshalJSON()) }
