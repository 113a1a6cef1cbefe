// Command kratos is the Ory Kratos that the tests and the demo run against.
//
// It exists so that go.mod and go.sum can pin Kratos and everything below it:
// the Go module proxy is the only place the server is taken from.
package main

import (
	"os"

	kratos "github.com/ory/kratos/cmd"
)

func main() {
	os.Exit(kratos.Execute())
}
