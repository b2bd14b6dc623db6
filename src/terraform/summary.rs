//! The summaries of diagnostics, each declared once.

use std::fmt;

/// The one line, without a full stop, that names a diagnostic. It is fixed, so that users can look it up; what differs from
/// case to case is for the detail. Each is declared with the macro `declare_summaries`, among those of its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary(&'static str);

impl Summary {
    /// For the macro alone: what it declares is also in the list of its room.
    pub(crate) const fn declared_by_macro(text: &'static str) -> Self {
        Self(text)
    }

    /// Its words.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl PartialEq<&str> for Summary {
    fn eq(&self, words: &&str) -> bool {
        self.0 == *words
    }
}

/// Declares summaries for the module around it, and the list of them all. The list repeats their words and does not name
/// the constants, so that the compiler warns of a constant that no diagnostic uses any more.
macro_rules! declare_summaries {
    (
        $(#[$meta:meta])*
        $vis:vis const $list:tt;
        $($name:ident = $words:literal;)+
    ) => {
        $(
            pub(super) const $name: $crate::terraform::Summary =
                $crate::terraform::Summary::declared_by_macro($words);
        )+

        $(#[$meta])*
        $vis const $list: &[$crate::terraform::Summary] =
            &[$($crate::terraform::Summary::declared_by_macro($words)),+];
    };
}

pub(crate) use declare_summaries;
