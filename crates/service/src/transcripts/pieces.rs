//! Cuts a file into JSON values without holding the file: one a line, or the elements of a list. A
//! value over the limit is skipped without being kept, and what is not text or is not closed is
//! named with its line.

use std::io::{self, BufRead};

/// Longest value that is kept: one chat of the `openai` format may be this long.
pub const LONGEST: usize = 128 * 1024 * 1024;

/// One value of a file.
pub struct Piece {
    /// The line it starts on, from 1.
    pub line: usize,
    /// Its text, or why there is none.
    pub text: Result<String, String>,
    /// How many bytes it has.
    pub bytes: usize,
    /// The file ends within this line: it may still grow.
    pub open: bool,
}

/// Reads the values of a file.
pub struct Pieces<R> {
    reader: R,
    line: usize,
    mode: Mode,
    ended: bool,
    longest: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Not decided before the first byte.
    Unknown,
    /// One value a line.
    Lines,
    /// Elements of a list, or values one after the other over several lines.
    Values,
}

impl<R: BufRead> Pieces<R> {
    /// `whole` says that values may go over several lines (a `.json` file); a list is recognised by
    /// itself.
    pub fn new(reader: R, whole: bool) -> Self {
        let mode = if whole { Mode::Values } else { Mode::Unknown };
        Self {
            reader,
            line: 1,
            mode,
            ended: false,
            longest: LONGEST,
        }
    }

    /// The next value; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Piece>> {
        if self.mode == Mode::Unknown {
            self.mode = if self.skip_space()? == Some(b'[') {
                Mode::Values
            } else {
                Mode::Lines
            };
        }
        if self.ended {
            return Ok(None);
        }
        if self.mode == Mode::Lines {
            self.next_line()
        } else {
            self.next_value()
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.reader.fill_buf()?.first().copied())
    }

    /// Skips white space and a byte order mark; the next byte, if any.
    fn skip_space(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf) {
                return Ok(Some(byte));
            }
            self.line += usize::from(byte == b'\n');
            self.reader.consume(1);
        }
        Ok(None)
    }

    fn next_line(&mut self) -> io::Result<Option<Piece>> {
        if self.skip_space()?.is_none() {
            self.ended = true;
            return Ok(None);
        }
        let line = self.line;
        let mut kept = Kept::new(self.longest);
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = memchr::memchr(b'\n', buffer);
            kept.add(&buffer[..end.unwrap_or(buffer.len())]);
            let used = end.map_or(buffer.len(), |n| n + 1);
            self.reader.consume(used);
            if end.is_some() || used == 0 {
                self.line += usize::from(end.is_some());
                return Ok(Some(Piece {
                    line,
                    bytes: kept.total,
                    open: end.is_none(),
                    text: kept.into_text(),
                }));
            }
        }
    }

    fn next_value(&mut self) -> io::Result<Option<Piece>> {
        // Between values: white space, the list's brackets and commas.
        loop {
            match self.skip_space()? {
                None => {
                    self.ended = true;
                    return Ok(None);
                }
                Some(b'[' | b',' | b']') => self.reader.consume(1),
                Some(_) => break,
            }
        }
        let line = self.line;
        let mut kept = Kept::new(self.longest);
        let mut scan = Scan::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                self.ended = true;
                let bytes = kept.total;
                let text = if scan.is_open() {
                    Err("the file ends inside this value: it was cut off".to_owned())
                } else {
                    kept.into_text()
                };
                return Ok(Some(Piece {
                    line,
                    bytes,
                    open: scan.is_open(),
                    text,
                }));
            }
            let (used, done) = scan.feed(buffer);
            kept.add(&buffer[..used]);
            self.line += buffer[..used].split(|&b| b == b'\n').count() - 1;
            self.reader.consume(used);
            if done {
                return Ok(Some(Piece {
                    line,
                    bytes: kept.total,
                    open: false,
                    text: kept.into_text(),
                }));
            }
        }
    }
}

/// Bytes up to a limit; over it only their number.
struct Kept {
    bytes: Vec<u8>,
    total: usize,
    longest: usize,
}

impl Kept {
    fn new(longest: usize) -> Self {
        Self {
            bytes: Vec::new(),
            total: 0,
            longest,
        }
    }

    fn add(&mut self, more: &[u8]) {
        self.total += more.len();
        if self.total <= self.longest {
            self.bytes.extend_from_slice(more);
        } else {
            self.bytes = Vec::new();
        }
    }

    fn into_text(self) -> Result<String, String> {
        if self.total > self.longest {
            return Err(format!(
                "it is {} MB long; the limit is {} MB",
                self.total / 1_000_000,
                self.longest / 1_000_000
            ));
        }
        if self.bytes.first() == Some(&0) && self.bytes.iter().all(|b| *b == 0) {
            return Err("nothing but NUL bytes".to_owned());
        }
        clean(self.bytes)
    }
}

/// Finds where a value ends.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    began: bool,
}

impl Scan {
    fn is_open(&self) -> bool {
        self.depth > 0 || self.in_string
    }

    /// How many bytes of the buffer belong to the value, and whether it ends with them.
    fn feed(&mut self, buffer: &[u8]) -> (usize, bool) {
        for (at, &byte) in buffer.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                b',' | b']' | b'\n' if self.depth == 0 && self.began => return (at, true),
                _ => {}
            }
            self.began = true;
        }
        (buffer.len(), false)
    }
}

/// Cleans JSON text of U+0000 and lone surrogates, which no database and no Rust string can hold: a
/// raw NUL becomes a space, an escaped one and a lone surrogate U+FFFD. What is not UTF-8 is
/// refused.
pub fn clean(mut bytes: Vec<u8>) -> Result<String, String> {
    if memchr::memchr(0, &bytes).is_some() {
        for byte in bytes.iter_mut().filter(|b| **b == 0) {
            *byte = b' ';
        }
    }
    // Most texts escape only quotes and line ends.
    let mut at = if memchr::memmem::find(&bytes, b"\\u").is_some() {
        0
    } else {
        bytes.len()
    };
    while let Some(n) = bytes[at..].iter().position(|&b| b == b'\\') {
        at += n;
        let (replace, len) = match unicode_escape(&bytes[at..]) {
            Some(0xd800..=0xdbff) => match unicode_escape(&bytes[at + 6..]) {
                Some(0xdc00..=0xdfff) => (false, 12),
                _ => (true, 6),
            },
            Some(0 | 0xdc00..=0xdfff) => (true, 6),
            Some(_) => (false, 6),
            None => (false, 2),
        };
        if replace {
            bytes[at..at + 6].copy_from_slice(b"\\ufffd");
        }
        at = (at + len).min(bytes.len());
    }
    String::from_utf8(bytes).map_err(|e| {
        format!(
            "byte {} of it is not UTF-8",
            e.utf8_error().valid_up_to() + 1
        )
    })
}

fn unicode_escape(bytes: &[u8]) -> Option<u16> {
    let hex = bytes.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(
        std::str::from_utf8(hex)
            .ok()
            .filter(|h| !h.starts_with('+'))?,
        16,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], whole: bool, longest: usize) -> Vec<(usize, Result<String, String>)> {
        // A tiny buffer, so that every state is carried over its end.
        let mut pieces = Pieces {
            longest,
            ..Pieces::new(io::BufReader::with_capacity(3, text), whole)
        };
        std::iter::from_fn(|| pieces.next().unwrap().map(|p| (p.line, p.text))).collect()
    }

    fn good(text: &[u8], whole: bool) -> Vec<(usize, String)> {
        read(text, whole, 100)
            .into_iter()
            .map(|(n, t)| (n, t.unwrap()))
            .collect()
    }

    #[test]
    fn lines_lists_and_values() {
        assert_eq!(
            good(b"{\"a\":1}\n\n{\"b\":2}", false),
            [(1, "{\"a\":1}".into()), (3, "{\"b\":2}".into())]
        );
        let list = b"[\n {\"a\": \"]}\\\"\"},\n {\"b\": [1,2]}\n]\n";
        assert_eq!(
            good(list, false),
            [
                (2, "{\"a\": \"]}\\\"\"}".into()),
                (3, "{\"b\": [1,2]}".into())
            ]
        );
        assert_eq!(
            good(b"{\n\"a\": {}\n}\n{}", true),
            [(1, "{\n\"a\": {}\n}".into()), (4, "{}".into())]
        );
        assert_eq!(good(b"", false), []);
        assert_eq!(good(b"[]", false), []);
        assert_eq!(good(b"nonsense", true), [(1, "nonsense".into())]);
    }

    #[test]
    fn cut_long_or_binary_parts_are_named_and_the_rest_is_read() {
        let cut = read(b"[{\"a\":1},{\"b\":", false, 100);
        assert!(
            cut[0].1.is_ok() && cut[1].1.as_ref().unwrap_err().contains("cut off"),
            "{cut:?}"
        );
        let long = read(b"{\"aaaaaaaaaaaaaaaaaaaaaa\":1}\n{}\n", false, 10);
        assert!(
            long[0].1.as_ref().unwrap_err().contains("limit"),
            "{long:?}"
        );
        assert_eq!(long[1], (2, Ok("{}".into())));
        let binary = read(b"\"\xff\xfe\"\n{}\n", false, 100);
        assert_eq!(
            binary[0].1.as_ref().unwrap_err(),
            "byte 2 of it is not UTF-8"
        );
    }

    #[test]
    fn cleaning() {
        let cleaned = |text: &str| clean(text.as_bytes().to_vec()).unwrap();
        assert_eq!(cleaned("\"a\\u0000b\""), "\"a\\ufffdb\"");
        assert_eq!(
            cleaned("\"\\ud83d\\ude00 \\ud83d x \\ude00\""),
            "\"\\ud83d\\ude00 \\ufffd x \\ufffd\""
        );
        assert_eq!(cleaned("\"\\\\u0000 \0\""), "\"\\\\u0000  \"");
        assert_eq!(cleaned("\\"), "\\");
        assert_eq!(cleaned("\\u00"), "\\u00");
    }
}
