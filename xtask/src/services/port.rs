//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};

use crate::failure::{Context, Result};

/// The port last used if it is free again, so that URLs outlive a restart; else one the system picks.
///
/// Nothing holds it between this answer and the server's start: who starts one tries again with another port.
pub(crate) fn free(last_used: Option<u16>) -> Result<u16> {
    if let Some(port) = last_used.filter(|&port| bind(port).is_ok()) {
        return Ok(port);
    }
    let listener = bind(0).context(|| "looking for a free port on 127.0.0.1".to_owned())?;
    Ok(listener.local_addr().context(|| "reading the port picked".to_owned())?.port())
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_used_again_and_a_taken_one_is_not() {
        let port = free(None).unwrap();
        assert_eq!(free(Some(port)).unwrap(), port);
        let _held = bind(port).unwrap();
        assert_ne!(free(Some(port)).unwrap(), port);
    }
}
