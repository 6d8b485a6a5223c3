package linktrack

import "context"

// KeyStore keeps the keys of accounts. The Login and PassHash of an [Account] are its
// own key, which has the ID 0, no Name, [ScopeAll], and the CreatedAt of the account.
// [AccountStore.CreateAccount] makes it, and [AccountStore.UpdateAccount] changes it.
type KeyStore interface {
	// CreateKey keeps a new key of k.Account, and returns it with its ID, which is
	// above 0. k.ID and k.LastUsed are ignored.
	//   - [ErrTaken] if an account or another key has the login, compared byte by
	//     byte. CreateAccount and UpdateAccount return ErrTaken for the login of a
	//     key, too. So one of any number of concurrent calls, in any processes,
	//     gets a login.
	//   - [ErrNotFound] if there is no such account.
	CreateKey(ctx context.Context, k Key) (Key, error)

	// KeyByLogin returns the key with that login, and its account, or
	// [ErrNotFound]. Each call of the API calls it, so it should be one look-up by
	// a unique key.
	KeyByLogin(ctx context.Context, login string) (Key, Account, error)

	// Keys returns all keys of an account in the order of their IDs. The first is
	// its own, also if that has no PassHash. An account that does not exist has no
	// keys.
	Keys(ctx context.Context, account AccountID) ([]Key, error)

	// DeleteKey removes a key of an account. Its login is free then. The error is
	// [ErrNotFound] if the account has no key with that ID, and always for ID 0.
	DeleteKey(ctx context.Context, account AccountID, id int64) error

	// UseKey sets the LastUsed of a key of an account to day, unless it is later
	// already. A key that does not exist is not an error.
	UseKey(ctx context.Context, account AccountID, id int64, day Day) error
}
