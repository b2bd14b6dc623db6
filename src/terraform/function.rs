//! Functions that configurations call: `provider::NAME::FUNCTION(…)`.

use super::{Diagnostic, FromValue, Type, Value};

/// A pure function. Terraform calls it in any order and any number of times, also on a provider that was never
/// configured, and holds the provider to the same result for the same arguments.
pub trait Function: Send + Sync + 'static {
    /// The name, in `snake_case`.
    fn name(&self) -> &'static str;

    /// What it takes and what comes of it.
    fn signature(&self) -> &'static FunctionSignature;

    /// The result, of the type that the signature says.
    fn call(&self, arguments: Arguments) -> Result<Value, FunctionError>;
}

/// What a function takes and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSignature {
    /// What it is for, in a few words of plain text.
    pub summary: &'static str,
    /// The same at length, in Markdown.
    pub description: &'static str,
    /// The parameters in order. Terraform refuses a call with a null argument, and takes the result for unknown where
    /// an argument is.
    pub parameters: Vec<Parameter>,
    /// The type of the result.
    pub returns: Type,
}

/// One parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name, in `snake_case`.
    pub name: &'static str,
    /// The type of what may be given.
    pub ty: Type,
    /// What it is, in Markdown.
    pub description: &'static str,
}

/// The arguments of one call: as many as there are parameters, of their types, none null or unknown.
pub struct Arguments {
    values: std::vec::IntoIter<Value>,
    taken: usize,
}

impl Arguments {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self {
            values: values.into_iter(),
            taken: 0,
        }
    }

    /// The next argument. Fails only where the function takes more than its signature says, or other types.
    pub fn take<T: FromValue>(&mut self) -> Result<T, FunctionError> {
        let position = self.taken;
        self.taken += 1;
        let value = self.values.next().ok_or("missing");
        value
            .and_then(|value| T::from_known(value).map_err(|_| "of another type"))
            .map_err(|problem| FunctionError::at_argument(position, format!("This argument is {problem}.")))
    }
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// For the user, in sentences. Never quotes an argument, which may be sensitive.
    pub text: String,
    /// The position of the argument at fault, from 0.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// What is wrong with the argument at this position, from 0.
    pub fn at_argument(position: usize, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            argument: Some(position),
        }
    }
}

impl From<Diagnostic> for FunctionError {
    /// About no argument in particular.
    fn from(problem: Diagnostic) -> Self {
        Self {
            text: format!("{}: {}", problem.summary, problem.detail),
            argument: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_taken_in_order_and_a_wrong_one_is_named() {
        let mut arguments = Arguments::new(vec![
            Value::Bool(true),
            Value::String("a".to_owned()),
            Value::Bool(false),
        ]);
        assert_eq!(arguments.take::<bool>(), Ok(true));
        assert_eq!(arguments.take::<String>(), Ok("a".to_owned()));
        assert_eq!(arguments.take::<String>().unwrap_err().argument, Some(2));
        assert_eq!(arguments.take::<String>().unwrap_err().argument, Some(3));
    }
}
