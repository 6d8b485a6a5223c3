package linktrack

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// defaultPasswordCost is what a program has that is not a test.
var defaultPasswordCost = passwordCost

func init() { passwordCost = bcrypt.MinCost } // a hash of the default cost takes 70 ms

func TestAPasswordIsHashedAtTheCostThatBcryptAdvises(t *testing.T) {
	require.Equal(t, bcrypt.DefaultCost, defaultPasswordCost)
	hash, err := hashPassword("open sesame")
	require.NoError(t, err)
	cost, err := bcrypt.Cost(hash)
	require.NoError(t, err)
	require.Equal(t, passwordCost, cost, "the cost is that of new hashes")
}
