//! Logging in: nothing at all, polkit, or SASL with a user name and password (SCRAM, else `PLAIN`).

use entente_model::Text;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::address::{Address, Way};
use super::client::request;
use super::session::Session;
use crate::libvirt::wire::failure::{Failure, RemoteKind};
use crate::libvirt::wire::procedures::{
    AuthList, AuthPolkit, Procedure, SaslMechanisms, SaslStart, SaslStep,
};
use crate::libvirt::wire::reading::Read;
use crate::libvirt::wire::scram::{LogIn, Mechanism, ScramError, is_plain};
use crate::libvirt::wire::xdr::Decoder;
use crate::live::{CallError, Credentials, Refusal, Run};

/// Ways to log in, as the server numbers them.
const NONE: i32 = 0;
const SASL: i32 = 1;
const POLKIT: i32 = 2;
/// The SASL mechanism that sends the password as it is.
const PLAIN: &str = "PLAIN";
/// Bytes that nobody can foresee, for a log-in of its own.
const NONCE_BYTES: usize = 18;

/// Logs in as far as the server wants it; gives the account as far as the connection tells.
pub async fn log_in(
    run: Run<'_>,
    address: &Address,
    session: &mut Session<'_>,
) -> Result<Text, Refusal> {
    let ways = call(session, AuthList {}).await.map_err(refusal)?;
    if ways.is_empty() || ways.contains(&NONE) {
        return Ok(account(run, address));
    }
    if ways.contains(&SASL) {
        return sasl(run, address, session).await;
    }
    if ways.contains(&POLKIT) {
        return match call(session, AuthPolkit {}).await {
            Ok(()) => Ok(account(run, address)),
            Err(Failure::Remote(error)) => Err(Refusal::LogInUnsupported(Text::from(format!(
                "polkit does not let this user in ({}); use the read-only socket, or let the user \
                 have `org.libvirt.unix.manage`",
                error.message
            )))),
            Err(other) => Err(refusal(other)),
        };
    }
    Err(Refusal::LogInUnsupported(Text::from(format!(
        "it offers only ways to log in that are not known here ({ways:?})"
    ))))
}

/// Logs in with user name and password, by a mechanism that proves the password if one is offered, else
/// by one that sends it. Neither hides what follows, so that only ways over which nobody listens will do.
async fn sasl(run: Run<'_>, address: &Address, session: &mut Session<'_>) -> Result<Text, Refusal> {
    let unsupported = |why: String| Err(Refusal::LogInUnsupported(Text::from(why)));
    let Credentials::Password { user, password } = &run.target.credentials else {
        return unsupported("it wants a user name and password (SASL)".into());
    };
    if matches!(address.way, Way::Tcp { .. }) {
        return unsupported("a password is not sent in clear text: use TLS or ssh".into());
    }
    let password = password.reveal();
    let offered = call(session, SaslMechanisms {}).await.map_err(refusal)?;
    let has = |name: &str| offered.split([' ', ',']).any(|it| it == name);
    let proving = Mechanism::ALL.into_iter().find(|it| has(it.name()));
    match proving.filter(|_| is_plain(user) && is_plain(password)) {
        Some(mechanism) => scram(session, mechanism, user, password).await?,
        None if has(PLAIN) => {
            let data = format!("\0{user}\0{password}").into_bytes();
            let step =
                call(session, SaslStart { mechanism: PLAIN, data }).await.map_err(refusal)?;
            if !step.complete {
                return Err(Refusal::Answer("it goes on with a log-in that is complete".into()));
            }
        }
        None if proving.is_some() => {
            return unsupported(format!(
                "over {offered} only names and passwords of ASCII characters are supported"
            ));
        }
        None => {
            let known = Mechanism::ALL.map(Mechanism::name).join(", ");
            return unsupported(format!(
                "it offers only SASL mechanisms {offered}, none of {known}, {PLAIN}"
            ));
        }
    }
    Ok(user.clone())
}

/// Proves the password, and has the server prove that it knows it.
async fn scram(
    session: &mut Session<'_>,
    mechanism: Mechanism,
    user: &str,
    password: &str,
) -> Result<(), Refusal> {
    let mut nonce = [0; NONCE_BYTES];
    SystemRandom::new()
        .fill(&mut nonce)
        .map_err(|_| Refusal::LogInUnsupported("this machine gives no random bytes".into()))?;
    let log_in = LogIn::new(mechanism, user, &nonce);
    let start = SaslStart { mechanism: mechanism.name(), data: log_in.first() };
    let first = call(session, start).await.map_err(refusal)?;
    let (data, expected) = log_in.prove(&first.data, password).map_err(unproved)?;
    let last = call(session, SaslStep { data }).await.map_err(refusal)?;
    expected.compare(&last.data).map_err(unproved)?;
    // Some servers want to hear that they were believed.
    if last.complete
        || call(session, SaslStep { data: Vec::new() }).await.map_err(refusal)?.complete
    {
        return Ok(());
    }
    Err(Refusal::Answer("it goes on with a log-in that is complete".into()))
}

fn unproved(error: ScramError) -> Refusal {
    match error {
        ScramError::Refused => Refusal::WrongCredentials,
        other => Refusal::Answer(Text::from(other.to_string())),
    }
}

/// Calls a procedure on a connection that is not logged in yet.
pub async fn call<P: Procedure>(session: &mut Session<'_>, procedure: P) -> Read<P::Reply> {
    let bytes = session.one(request(&procedure)).await??;
    Ok(P::decode(&mut Decoder::new(&bytes))?)
}

fn account(run: Run<'_>, address: &Address) -> Text {
    match (&address.way, &run.target.credentials) {
        (Way::Unix(_), _) => "the user that runs this".into(),
        (Way::Ssh { user: Some(user), .. }, _) => Text::from(user),
        (Way::Ssh { user: None, .. }, _) => "the user that `ssh` chooses".into(),
        (Way::Tls { .. }, Credentials::Certificate { certificate, .. }) => {
            Text::from(format!("the client certificate `{}`", certificate.display()))
        }
        _ => "anonymous".into(),
    }
}

/// What a failure before or during log-in means.
pub fn refusal(failure: Failure) -> Refusal {
    match failure {
        Failure::Call(CallError::Truncated(why)) => Refusal::Unreachable(Text::from(format!(
            "{why} before logging in; it may have too many clients, or wait for TLS"
        ))),
        Failure::Call(error) => error.into(),
        Failure::Answer(error) => Refusal::NotThisPlatform {
            expected: "libvirt".into(),
            found: Text::from(format!("something whose answer makes no sense ({error})")),
        },
        Failure::Remote(error) if error.kind() == RemoteKind::LogIn => Refusal::WrongCredentials,
        other => Refusal::Answer(Text::from(other.to_string())),
    }
}
