// Package database makes and drops the MySQL databases that are measured.
package database

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/linktrackhq/linktrack/internal/testmysql"
)

// A Server is a MySQL or MariaDB server whose user may make databases.
type Server struct {
	config *mysql.Config
	db     *sql.DB
}

// Open connects to the server of a DSN; its database's name does not matter.
func Open(dsn string) (*Server, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("the DSN of the MySQL server cannot be read: %w", err)
	}
	c.DBName = ""
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return &Server{c, sql.OpenDB(connector)}, nil
}

// Given is the DSN of the server that scripts/with-mariadb started, or that
// was there before.
func Given() (string, error) {
	dsn := os.Getenv(testmysql.Variable)
	if dsn == "" {
		return "", fmt.Errorf("%s is not set; scripts/with-mariadb sets it", testmysql.Variable)
	}
	return dsn, nil
}

// Close ends the connection. The databases stay.
func (s *Server) Close() error { return s.db.Close() }

// Create makes an empty database, in place of one of that name, and returns
// its DSN.
func (s *Server) Create(ctx context.Context, name string) (string, error) {
	for _, stmt := range []string{"DROP DATABASE IF EXISTS ", "CREATE DATABASE "} {
		if _, err := s.db.ExecContext(ctx, stmt+name); err != nil {
			return "", err
		}
	}
	c := s.config.Clone()
	c.DBName = name
	return c.FormatDSN(), nil
}

// Drop drops a database. It does so even after the context's end.
func (s *Server) Drop(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	_, err := s.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name)
	return err
}

// About is a sentence on the server, with the settings that figures depend on.
func (s *Server) About(ctx context.Context) (string, error) {
	var version string
	var flush, pool int64
	err := s.db.QueryRowContext(ctx, `SELECT @@version, @@innodb_flush_log_at_trx_commit, @@innodb_buffer_pool_size`).Scan(&version, &flush, &pool)
	if !strings.Contains(version, "MariaDB") {
		version = "MySQL " + version
	}
	return fmt.Sprintf("%s, innodb_flush_log_at_trx_commit %d, innodb_buffer_pool_size %d MB", version, flush, pool>>20), err
}

// PID returns the process id of the server, which must run on this machine.
func (s *Server) PID(ctx context.Context) (int, error) {
	var file, dir string
	if err := s.db.QueryRowContext(ctx, `SELECT @@pid_file, @@datadir`).Scan(&file, &dir); err != nil {
		return 0, err
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}
