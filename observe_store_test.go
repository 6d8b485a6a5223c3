package linktrack

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is embedded in guardedStore, or passes calls on without its end, would be found
// here: each method of a store that is nil panics.
func TestEveryMethodOfTheStoreIsGuardedAndObservedByItsName(t *testing.T) {
	var seen []Observation
	guarded := guardedStore{nil, newObserver(func(_ context.Context, ob Observation) { seen = append(seen, ob) }, nil)}
	methods := reflect.TypeFor[Store]()
	require.NotZero(t, methods.NumMethod())
	for i := range methods.NumMethod() {
		seen = nil
		method := reflect.ValueOf(guarded).MethodByName(methods.Method(i).Name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for j := 1; j < method.Type().NumIn(); j++ {
			args = append(args, reflect.Zero(method.Type().In(j)))
		}
		results := method.Call(args)
		require.Len(t, seen, 1)
		require.Equal(t, methods.Method(i).Name, seen[0].Name)
		require.Equal(t, "failed", seen[0].Outcome)
		require.ErrorIs(t, seen[0].Err, errPanic)
		require.Equal(t, seen[0].Err, results[len(results)-1].Interface())
	}
}
