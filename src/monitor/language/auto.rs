//! `auto`: the language that a device's id tells of, chosen anew whenever a device comes.
//!
//! | in the id | language |
//! | --- | --- |
//! | `CMD` with a ZPL; `MFG` Zebra and no `CMD` | `zpl` |
//! | `CMD` with an ESC/POS; `MFG` Epson and `MDL` `TM-…` | `escpos` |
//! | `CMD` with PJL | `pjl` |
//! | `CMD` with 1284.4 | `ieee1284.4` |
//! | anything else, or no id | `usb-printer-class`: what the port's lines say |
//!
//! PJL comes before 1284.4: who speaks both takes it without packets too. The invariant: a language is only changed between
//! two devices, never under a job: a device of another language that comes under one is greeted when the job is over.

use std::time::Instant;

use despool_hw::{DeviceId, Line};

use super::{Action, Boundaries, DeviceNote, JobNote, Language, Over, Setup, core};
use crate::config::LanguageName;
use crate::piece::Piece;

/// The language that is chosen.
pub(super) struct Auto {
    setup: Setup,
    name: LanguageName,
    core: Box<dyn Language>,
    /// A job is on its way.
    in_job: bool,
    /// Came under it, and speaks another language.
    came: Option<DeviceNote>,
}

impl Auto {
    pub(super) fn new(setup: Setup) -> Self {
        let name = LanguageName::UsbPrinterClass;
        Self { setup, name, core: made(name, setup), in_job: false, came: None }
    }
}

fn made(name: LanguageName, setup: Setup) -> Box<dyn Language> {
    match core(name) {
        Some(make) => make(setup),
        None => Box::<super::usb_printer_class::UsbPrinterClass>::default(),
    }
}

/// The language of the device with this id.
fn choose(id: Option<&DeviceId>) -> LanguageName {
    let Some(id) = id else { return LanguageName::UsbPrinterClass };
    let commands: Vec<String> = id.commands.iter().map(|it| it.to_ascii_uppercase()).collect();
    let make = id.make.as_deref().unwrap_or_default().to_ascii_uppercase();
    let model = id.model.as_deref().unwrap_or_default().to_ascii_uppercase();
    let speaks = |words: &[&str]| {
        commands.iter().any(|command| words.iter().any(|word| command.contains(word)))
    };
    match () {
        () if speaks(&["ZPL"]) => LanguageName::Zpl,
        () if commands.is_empty() && make.starts_with("ZEBRA") => LanguageName::Zpl,
        () if speaks(&["ESC/POS", "ESCPOS", "ESC-POS"]) => LanguageName::Escpos,
        () if make == "EPSON" && model.starts_with("TM-") => LanguageName::Escpos,
        () if speaks(&["PJL"]) => LanguageName::Pjl,
        () if speaks(&["1284.4"]) => LanguageName::Ieee1284_4,
        () => LanguageName::UsbPrinterClass,
    }
}

impl Language for Auto {
    fn present(&mut self, device: &DeviceNote, now: Instant, out: &mut Vec<Action>) {
        let name = choose(device.id.as_ref());
        self.came = (name != self.name && self.in_job).then(|| device.clone());
        if self.came.is_some() {
            return;
        }
        if name != self.name {
            (self.name, self.core) = (name, made(name, self.setup));
        }
        self.core.present(device, now, out);
    }

    fn absent(&mut self) {
        self.came = None;
        self.core.absent();
    }

    fn begin(&mut self, job: &JobNote, now: Instant, out: &mut Vec<Action>) {
        self.in_job = true;
        self.core.begin(job, now, out);
    }

    fn write(&mut self, piece: Piece, now: Instant, out: &mut Vec<Action>) {
        self.core.write(piece, now, out);
    }

    fn room(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.core.room(now, out);
    }

    fn end(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.core.end(now, out);
    }

    fn over(&mut self, how: Over, now: Instant, out: &mut Vec<Action>) {
        self.in_job = false;
        self.core.over(how, now, out);
        if let Some(device) = self.came.take() {
            self.present(&device, now, out);
        }
    }

    fn unasked(&mut self) {
        self.core.unasked();
    }

    fn torn(&mut self) {
        self.core.torn();
    }

    fn heard(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Action>) {
        self.core.heard(bytes, now, out);
    }

    fn line(&mut self, line: Line, now: Instant, out: &mut Vec<Action>) {
        self.core.line(line, now, out);
    }

    fn stalled(&mut self, stalled: bool, now: Instant, out: &mut Vec<Action>) {
        self.core.stalled(stalled, now, out);
    }

    fn due(&self) -> Option<Instant> {
        self.core.due()
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.core.tick(now, out);
    }

    fn boundaries(&self) -> Option<Box<dyn Boundaries>> {
        self.core.boundaries()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::language::testing::{Did, PLAIN, Rig, device};
    use crate::monitor::port::How;

    #[test]
    fn what_ids_tell() {
        for (id, expected) in [
            ("MFG:Hewlett-Packard;MDL:HP LaserJet 4;CMD:PJL,PML,PCLXL;", LanguageName::Pjl),
            ("MFG:HP;CMD:MLC,PCL,PJL;1284.4DL:4d,4e,1;", LanguageName::Pjl),
            (
                "MANUFACTURER:Zebra Technologies ;COMMAND SET:ZPL;MODEL:ZTC ZD420;",
                LanguageName::Zpl,
            ),
            ("MFG:Zebra;MDL:LP2824;", LanguageName::Zpl),
            ("MFG:Zebra;MDL:LP2824;CMD:EPL;", LanguageName::UsbPrinterClass),
            ("MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;CLS:PRINTER;", LanguageName::Escpos),
            ("MFG:Epson;MDL:TM-T20II;CLS:PRINTER;", LanguageName::Escpos),
            ("MFG:Bixolon;CMD:BIXOLON ESC/POS;", LanguageName::Escpos),
            ("MFG:Some;CMD:IEEE1284.4,PCL;", LanguageName::Ieee1284_4),
            ("MFG:EPSON;CMD:ESCPL2,BDC,D4,D4PX;MDL:Stylus;", LanguageName::UsbPrinterClass),
            ("MFG:Star;MDL:TSP100;", LanguageName::UsbPrinterClass),
        ] {
            let id = DeviceId::parse(id.as_bytes()).unwrap();
            assert_eq!(choose(Some(&id)), expected, "{}", id.raw);
        }
        assert_eq!(choose(None), LanguageName::UsbPrinterClass);
    }

    #[test]
    fn each_device_is_spoken_to_in_its_own() {
        let mut rig = Rig::new(Auto::new(PLAIN));
        assert_eq!(rig.present(&device("")), []);
        assert_eq!(rig.present(&device("CMD:ZPL;"))[0], Did::Say(b"~HI".into()));
        rig.core.absent();
        assert_eq!(rig.core.due(), None);
        assert_eq!(rig.present(&device("CMD:ESC/POS;"))[0], Did::Say(b"\x1da\x0f".into()));
        rig.core.absent();
        assert_eq!(rig.present(&device("MFG:?;")), []);
    }

    #[test]
    fn a_language_is_not_changed_under_a_job() {
        let mut rig = Rig::new(Auto::new(PLAIN));
        rig.present(&device("CMD:1284.4;"));
        rig.begin(0);
        assert_eq!(rig.write(b"waits for the link"), []);
        assert_eq!(rig.present(&device("CMD:ZPL;")), []);
        assert_eq!(rig.write(b"this, too"), []);
        let over = Over::Stopped(How::Cancel, None);
        let did = rig.step(|core, now, out| core.over(over, now, out));
        assert_eq!(did[did.len() - 2], Did::Say(b"~HI".into()), "{did:?}");
        rig.begin(0);
        assert_eq!(rig.write(b"^XA"), [Did::Write(b"^XA".into())]);
    }

    #[test]
    fn one_that_went_away_again_under_a_job_is_not_greeted() {
        let mut rig = Rig::new(Auto::new(PLAIN));
        rig.present(&device("CMD:ESC/POS;"));
        rig.begin(0);
        rig.present(&device("CMD:ZPL;"));
        rig.core.absent();
        let did = rig.step(|core, now, out| core.over(Over::Lost, now, out));
        assert!(!did.contains(&Did::Say(b"~HI".into())), "{did:?}");
    }
}
