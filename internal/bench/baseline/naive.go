package main

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// naive counts clicks the way it is written first: for each click a SELECT of
// the link, then one transaction with an INSERT of the click and an UPDATE of
// the counter. It gets what costs it nothing to have: a key for the look-up,
// connections that are kept, and arguments within the statement, which saves a
// round trip each.
type naive struct{ db *sql.DB }

func openNaive(ctx context.Context, dsn string, links int, to string) (*naive, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	c.InterpolateParams = true
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	n := &naive{sql.OpenDB(connector)}
	n.db.SetMaxOpenConns(32)
	n.db.SetMaxIdleConns(32)
	for _, stmt := range []string{
		`CREATE TABLE links (
			id BIGINT AUTO_INCREMENT PRIMARY KEY,
			path VARCHAR(100) NOT NULL UNIQUE,
			url VARCHAR(4096) NOT NULL,
			clicks BIGINT NOT NULL DEFAULT 0
		)`,
		`CREATE TABLE clicks (
			id BIGINT AUTO_INCREMENT PRIMARY KEY,
			link_id BIGINT NOT NULL,
			created_at DATETIME(6) NOT NULL,
			ip VARCHAR(45) NOT NULL,
			referrer VARCHAR(2048) NOT NULL,
			user_agent VARCHAR(1024) NOT NULL,
			KEY (link_id, created_at)
		)`,
	} {
		if _, err := n.db.ExecContext(ctx, stmt); err != nil {
			return nil, errors.Join(err, n.db.Close())
		}
	}
	for i := range links {
		if _, err := n.db.ExecContext(ctx, `INSERT INTO links (path, url) VALUES (?, ?)`, strconv.Itoa(i), to); err != nil {
			return nil, errors.Join(err, n.db.Close())
		}
	}
	return n, nil
}

func (n *naive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	url, err := n.click(r)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		http.NotFound(w, r)
	case err != nil:
		log.Print(err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	default:
		http.Redirect(w, r, url, http.StatusFound)
	}
}

func (n *naive) click(r *http.Request) (url string, err error) {
	ctx := r.Context()
	var id int64
	err = n.db.QueryRowContext(ctx, `SELECT id, url FROM links WHERE path = ?`, strings.TrimPrefix(r.URL.Path, "/")).Scan(&id, &url)
	if err != nil {
		return "", err
	}
	tx, err := n.db.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	_, err = tx.ExecContext(ctx, `INSERT INTO clicks (link_id, created_at, ip, referrer, user_agent) VALUES (?, ?, ?, ?, ?)`,
		id, time.Now().UTC(), ip, r.Referer(), r.UserAgent())
	if err != nil {
		return "", err
	}
	if _, err = tx.ExecContext(ctx, `UPDATE links SET clicks = clicks + 1 WHERE id = ?`, id); err != nil {
		return "", err
	}
	return url, tx.Commit()
}
