//! The `cel` crate's own interpreter as oracle: on records that were wholly observed we agree with
//! it, and what we decide on others holds however the unobserved turns out.
//!
//! Where the languages differ on purpose (`has`, missing keys), the oracle gets the expression
//! that says the same in CEL; see `generate.rs`.

#![cfg(test)]

mod generate;
mod world;

use cel::{Context, Env, Program};
use entente_expr::{Environment, Expression, Record, Truth};
use generate::{Choices, Generated};
use proptest::collection::vec;
use proptest::prelude::*;
use world::World;

/// How many completions of one world are tried.
const COMPLETIONS: usize = 16;

fn compile(source: &str) -> Expression {
    let environment = Environment::new().with_root("r", world::record_type());
    match Expression::compile(source, &environment) {
        Ok(expression) => expression,
        Err(diagnostics) => {
            let shown: Vec<String> = diagnostics.iter().map(|it| it.render(source)).collect();
            panic!("a well-typed expression is refused:\n{}", shown.join("\n"))
        }
    }
}

struct Oracle {
    environment: std::sync::Arc<Env>,
    program: Program,
}

impl Oracle {
    fn new(source: &str) -> Self {
        let mut environment = Env::stdlib();
        environment.add_extension(cel::extensions::strings).unwrap();
        let program = environment.compile(source).unwrap();
        Self { environment: std::sync::Arc::new(environment), program }
    }

    /// What CEL says; `None` is an error, or null where a bool is needed.
    fn ask(&self, world: &World) -> Option<bool> {
        let mut context = Context::with_env(self.environment.clone());
        context.add_variable_from_value("r", world.to_cel());
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(value)) => Some(value),
            Ok(cel::Value::Null) | Err(_) => None,
            Ok(other) => panic!("not a bool: {other:?}"),
        }
    }
}

fn evaluate(expression: &Expression, world: &World) -> Truth {
    expression.evaluate(&[world as &dyn Record])
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(3000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn on_a_world_that_was_wholly_observed_we_agree_with_cel(
        shape in bytes(300),
        facts in bytes(60),
    ) {
        let generated = Generated::new(&shape);
        let world = World::observed(&mut Choices::new(&facts));
        let (ours, theirs) = (compile(&generated.ours), Oracle::new(&generated.theirs));
        let answer = evaluate(&ours, &world);
        match (theirs.ask(&world), &answer) {
            (Some(true), answer) => prop_assert_eq!(answer, &Truth::True, "{:?}", generated),
            (Some(false), answer) => prop_assert_eq!(answer, &Truth::False, "{:?}", generated),
            (None, Truth::Unknown(missing)) => {
                prop_assert!(!missing.is_empty());
                prop_assert!(missing.iter().all(|it| it.why.unobserved().is_none()));
            }
            // One bad element does not sink a list: see the crate's documentation.
            (None, _) => prop_assert!(generated.builds_lists, "CEL has no answer, we {answer:?}: {generated:?}"),
        }
    }

    #[test]
    fn what_is_decided_holds_however_the_unobserved_turns_out(
        shape in bytes(300),
        facts in bytes(90),
        completions in bytes(400),
    ) {
        let generated = Generated::new(&shape);
        let world = World::partly_observed(&mut Choices::new(&facts));
        let (ours, theirs) = (compile(&generated.ours), Oracle::new(&generated.theirs));
        let answer = evaluate(&ours, &world);
        let mut completions = Choices::new(&completions);
        for _ in 0..COMPLETIONS {
            let more = world.completed(&mut completions, 2);
            let whole = more.completed(&mut completions, 1);
            match (&answer, theirs.ask(&whole)) {
                (Truth::Unknown(missing), _) => prop_assert!(!missing.is_empty()),
                (Truth::True, Some(value)) => prop_assert!(value, "{generated:?} {whole:?}"),
                (Truth::False, Some(value)) => prop_assert!(!value, "{generated:?} {whole:?}"),
                (_, None) => prop_assert!(generated.builds_lists, "CEL has no answer: {generated:?} {whole:?}"),
            }
            // Knowing more, without knowing all, changes no answer either.
            if !matches!(answer, Truth::Unknown(_)) {
                prop_assert_eq!(&evaluate(&ours, &more), &answer, "{:?} {:?}", generated, more);
            }
        }
    }

    #[test]
    fn what_is_missing_is_an_attribute_that_the_expression_reads(
        shape in bytes(300),
        facts in bytes(90),
    ) {
        let generated = Generated::new(&shape);
        let world = World::partly_observed(&mut Choices::new(&facts));
        let ours = compile(&generated.ours);
        let answer = evaluate(&ours, &world);
        for missing in answer.missing() {
            let read = ours.attributes().contains(&missing.attribute);
            prop_assert!(read || missing.why.unobserved().is_none(), "{missing:?}");
        }
        prop_assert!(answer.missing().is_sorted_by(|a, b| a < b), "sorted, each once");
    }
}

/// More where `PROPTEST_CASES` asks for it.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}
