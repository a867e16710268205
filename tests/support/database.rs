//! The database of a test, SQLite's file or a schema of the PostgreSQL server that `AEGIS_CONSOLE_TEST_POSTGRES` names:
//! made for one test, read and changed behind the gateway's back, and gone with it.

use rusqlite::types::ValueRef;
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Once;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// The PostgreSQL server that tests are to run against; `None`: on SQLite.
pub(crate) fn server() -> Option<String> {
    std::env::var("AEGIS_CONSOLE_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// What tests have made and left behind is taken away after this long: no test takes an hour.
const LEFT_BEHIND: u64 = 3600;

/// A schema, or where it is wanted a database, of its own on a PostgreSQL server. Dropped with this.
pub(crate) struct Fresh {
    server: String,
    kind: &'static str,
    name: String,
}

impl Fresh {
    /// A schema in the server's database.
    pub(crate) async fn schema(server: String) -> Self {
        Self::create(server, "SCHEMA").await
    }

    /// A database: its connections can be found and cut without touching another test's.
    #[allow(dead_code, reason = "not every test needs one")]
    pub(crate) async fn database(server: String) -> Self {
        Self::create(server, "DATABASE").await
    }

    async fn create(server: String, kind: &'static str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let name = format!("aegis_test_{now}_{}", uuid::Uuid::new_v4().simple());
        let client = connect(&server).await;
        static SWEPT: Once = Once::new();
        let mut sweep = false;
        SWEPT.call_once(|| sweep = true);
        if sweep {
            sweep_up(&client, now).await;
        }
        client.batch_execute(&format!("CREATE {kind} {name}")).await.unwrap();
        Self { server, kind, name }
    }

    /// Its name.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// By which it is reached.
    pub(crate) fn url(&self) -> String {
        let (place, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (place, own) = match self.kind {
            "SCHEMA" => (place.to_owned(), format!("options=-csearch_path%3D{}", self.name)),
            // The database is what stands behind the third slash.
            _ => {
                let server: Vec<_> = place.splitn(4, '/').take(3).collect();
                (format!("{}/{}", server.join("/"), self.name), String::new())
            }
        };
        let query: Vec<_> = [query, &own].into_iter().filter(|part| !part.is_empty()).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{place}{mark}{}", query.join("&"))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let force = if self.kind == "SCHEMA" { "CASCADE" } else { "WITH (FORCE)" };
        let (server, sql) = (self.server.clone(), format!("DROP {} {} {force}", self.kind, self.name));
        // A thread of its own: this may be dropped on a runtime, and a thread of one must not wait. A gateway that still
        // writes may win; then a later run takes the rest away.
        let drop = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok((client, connection)) = tokio_postgres::connect(&server, NoTls).await {
                    tokio::spawn(connection);
                    let drop = client.batch_execute(&sql);
                    let _ = tokio::time::timeout(Duration::from_secs(5), drop).await;
                }
            });
        });
        let _ = drop.join();
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    // Ends with the client.
    tokio::spawn(connection);
    client
}

/// Takes away what earlier runs could not: they were killed, say.
async fn sweep_up(client: &Client, now: u64) {
    let names = "SELECT 'SCHEMA', nspname FROM pg_namespace WHERE nspname LIKE 'aegis\\_test\\_%'
        UNION ALL SELECT 'DATABASE', datname FROM pg_database WHERE datname LIKE 'aegis\\_test\\_%'";
    for row in client.query(names, &[]).await.unwrap() {
        let (kind, name): (String, String) = (row.get(0), row.get::<_, String>(1));
        let made = name.split('_').nth(2).and_then(|made| made.parse::<u64>().ok());
        if made.is_none_or(|made| made + LEFT_BEHIND < now) {
            let force = if kind == "SCHEMA" { "CASCADE" } else { "WITH (FORCE)" };
            // Another run may be at it too.
            let _ = client.batch_execute(&format!("DROP {kind} {name} {force}")).await;
        }
    }
}

/// Where a test's gateway keeps everything.
pub(crate) enum Kept {
    /// SQLite's file.
    File(PathBuf),
    /// On PostgreSQL.
    Server(Fresh),
}

impl Kept {
    /// The URL of PostgreSQL.
    pub(crate) fn url(&self) -> Option<SecretString> {
        match self {
            Self::File(_) => None,
            Self::Server(own) => Some(own.url().into()),
        }
    }

    /// The rows, each in one line with `|` between its columns.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        match self {
            Self::File(file) => {
                let db = rusqlite::Connection::open(file).unwrap();
                db.busy_timeout(Duration::from_secs(5)).unwrap();
                let mut statement = db.prepare(sql).unwrap();
                let columns = statement.column_count();
                let line = |row: &rusqlite::Row<'_>| {
                    let cells = (0..columns).map(|place| row.get_ref(place).map(text));
                    cells.collect::<Result<Vec<_>, _>>().map(|cells| cells.join("|"))
                };
                statement.query_map([], line).unwrap().map(Result::unwrap).collect()
            }
            Self::Server(own) => {
                let messages = connect(&own.url()).await.simple_query(sql).await.unwrap();
                let rows = messages.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                let line = |row: &tokio_postgres::SimpleQueryRow| {
                    (0..row.len()).map(|place| row.get(place).unwrap_or("NULL")).collect::<Vec<_>>().join("|")
                };
                rows.map(line).collect()
            }
        }
    }

    /// Carries statements out, behind the gateway's back.
    pub(crate) async fn change(&self, sql: &str) {
        match self {
            Self::File(file) => {
                let db = rusqlite::Connection::open(file).unwrap();
                db.busy_timeout(Duration::from_secs(5)).unwrap();
                db.execute_batch(sql).unwrap();
            }
            Self::Server(own) => connect(&own.url()).await.batch_execute(sql).await.unwrap(),
        }
    }
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        other => panic!("{other:?} is in no table of the gateway"),
    }
}
