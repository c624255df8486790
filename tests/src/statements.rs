//! Counts the statements that a PostgreSQL client asks for, from what it sends.

/// How long a message's head is: its kind, and its length without the kind.
const HEAD: usize = 5;

/// What a client has sent so far, of which no message is kept.
///
/// A connection begins with a message without a kind; every later one has one. Statements are what is executed: by `Query`,
/// and by `Execute` of the extended protocol, `BEGIN` and `COMMIT` among them.
#[derive(Debug)]
pub(crate) struct Statements {
    head: [u8; HEAD],
    /// How much of the head is there.
    known: usize,
    /// How much of the message is still to come after it.
    left: usize,
}

impl Default for Statements {
    fn default() -> Self {
        // As if the kind of the first message had come.
        Self { head: [0; HEAD], known: 1, left: 0 }
    }
}

impl Statements {
    /// How many statements begin in these bytes, which follow those before.
    pub(crate) fn count(&mut self, mut bytes: &[u8]) -> u64 {
        let mut statements = 0;
        while !bytes.is_empty() {
            if self.left > 0 {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head[self.known] = bytes[0];
            self.known += 1;
            bytes = &bytes[1..];
            if self.known == HEAD {
                let [kind, length @ ..] = self.head;
                // The length counts itself.
                self.left = (u32::from_be_bytes(length) as usize).saturating_sub(length.len());
                self.known = 0;
                statements += u64::from(matches!(kind, b'Q' | b'E'));
            }
        }
        statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("a short message");
        [&[kind], &length.to_be_bytes()[..], body].concat()
    }

    #[test]
    fn what_is_executed_counts_however_the_bytes_are_cut() {
        let start = &message(0, b"user\0scheduler\0\0")[1..];
        let sent = [
            start,
            &message(b'Q', b"BEGIN\0"),
            &message(b'P', b"QE\0"),
            &message(b'B', b"Q"),
            &message(b'E', b"\0\0\0\0\0"),
            &message(b'S', b""),
        ]
        .concat();
        for length in 1..=sent.len() {
            let mut statements = Statements::default();
            let counted: u64 = sent.chunks(length).map(|part| statements.count(part)).sum();
            assert_eq!(counted, 2, "in parts of {length} bytes");
        }
    }
}
