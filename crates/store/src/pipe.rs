//! One statement under way while the next one is made ready.
//!
//! A statement that puts rows in has nothing to answer but whether it worked. What that was is told by the next
//! call, or by [`Pipe::idle`]; everything happens in the order in which it was asked for.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use sqlx::any::AnyArguments;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::database::Cell;
use crate::error::StoreError;

/// A statement under way; gives the connection back.
type Work<'c> =
    Pin<Box<dyn Future<Output = (&'c mut AnyConnection, Result<(), sqlx::Error>)> + Send + 'c>>;

/// A connection on which one statement may be under way.
pub(crate) struct Pipe<'c> {
    state: State<'c>,
    /// Whether the engine's marks are `$1`, `$2` … only.
    pub is_numbered: bool,
}

enum State<'c> {
    Idle(&'c mut AnyConnection),
    Busy(Work<'c>),
    /// Its caller was gone in the middle of a statement.
    Lost,
}

impl<'c> Pipe<'c> {
    pub fn over(connection: &'c mut AnyConnection) -> Self {
        let is_numbered = connection.backend_name() != "SQLite";
        Self { state: State::Idle(connection), is_numbered }
    }

    /// The connection, when everything before is done.
    pub async fn idle(&mut self) -> Result<&mut AnyConnection, StoreError> {
        self.wait().await?;
        match &mut self.state {
            State::Idle(connection) => Ok(connection),
            State::Busy(_) | State::Lost => Err(lost()),
        }
    }

    async fn wait(&mut self) -> Result<(), StoreError> {
        let State::Busy(work) = &mut self.state else { return Ok(()) };
        let (connection, outcome) = work.await;
        self.state = State::Idle(connection);
        Ok(outcome?)
    }

    /// Begins a statement, when everything before is done; one that comes `again` is worth remembering.
    pub async fn start(
        &mut self,
        statement: String,
        cells: Vec<Cell>,
        again: bool,
    ) -> Result<(), StoreError> {
        self.wait().await?;
        let State::Idle(connection) = std::mem::replace(&mut self.state, State::Lost) else {
            return Err(lost());
        };
        self.state = State::Busy(Box::pin(async move {
            let outcome = send(connection, statement, cells, again).await;
            (connection, outcome)
        }));
        self.nudge().await
    }

    /// Lets what is under way go on as far as it can without waiting for it.
    pub async fn nudge(&mut self) -> Result<(), StoreError> {
        let State::Busy(work) = &mut self.state else { return Ok(()) };
        let Poll::Ready((connection, outcome)) =
            poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await
        else {
            return Ok(());
        };
        self.state = State::Idle(connection);
        Ok(outcome?)
    }
}

fn lost() -> StoreError {
    StoreError::Damaged("a statement was left in the middle".into())
}

async fn send(
    connection: &mut AnyConnection,
    statement: String,
    cells: Vec<Cell>,
    again: bool,
) -> Result<(), sqlx::Error> {
    #[cfg(feature = "named-points")]
    let told = statement.clone();
    let mut query =
        sqlx::query_with(AssertSqlSafe(statement), AnyArguments::default()).persistent(again);
    for cell in cells {
        query = match cell {
            Cell::Int(value) => query.bind(value),
            Cell::MaybeInt(value) => query.bind(value),
            Cell::Bool(value) => query.bind(value),
            Cell::MaybeBool(value) => query.bind(value),
            Cell::Text(value) => query.bind(value),
            Cell::MaybeText(value) => query.bind(value),
            Cell::Bytes(value) => query.bind(value),
        };
    }
    query.execute(connection).await?;
    #[cfg(feature = "named-points")]
    crate::point::inserted(&told);
    Ok(())
}
