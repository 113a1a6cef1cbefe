module edgekeeper-token-golang

go 1.24

require (
	github.com/go-jose/go-jose/v3 v3.0.4
	github.com/golang-jwt/jwt/v5 v5.3.0
)

require golang.org/x/crypto v0.19.0 // indirect
