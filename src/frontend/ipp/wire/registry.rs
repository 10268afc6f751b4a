//! How a column of IANA's IPP registry becomes an enum: codes, names, and a place for what is not registered.

/// Makes `enum $name`, one variant a registered code, and `Other` for the rest.
///
/// `Other` holds a code that is *not* registered: `from_code` never makes one of a registered code.
macro_rules! registry {
    (
        $(#[$meta:meta])*
        $name:ident($code:ty) { $($variant:ident = $number:literal, $keyword:literal;)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $keyword, "` (", stringify!($number), ")")] $variant,)+
            /// Not registered: kept by its number.
            Other($code),
        }

        impl $name {
            /// All that are registered, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What the number on the wire means.
            pub const fn from_code(code: $code) -> Self {
                match code {
                    $($number => Self::$variant,)+
                    other => Self::Other(other),
                }
            }

            /// The number on the wire.
            pub const fn code(self) -> $code {
                match self {
                    $(Self::$variant => $number,)+
                    Self::Other(code) => code,
                }
            }

            /// The registered name; `None` where there is none.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($keyword),)+
                    Self::Other(_) => None,
                }
            }

            /// Finds a registered name, spelled as the registry spells it.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == Some(name))
            }
        }

        impl From<$code> for $name {
            fn from(code: $code) -> Self {
                Self::from_code(code)
            }
        }

        impl From<$name> for $code {
            fn from(one: $name) -> Self {
                one.code()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:04x}", self.code()),
                }
            }
        }
    };
}
