//! Guest operating systems, as vSphere names them.

/// A guest operating system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Os {
    /// In the configuration.
    pub configured: &'static str,
    /// As the tools report it.
    pub reported: &'static str,
    pub windows: bool,
    pub efi: bool,
    /// Virtual hardware versions from and to.
    pub hardware: (u64, u64),
}

const fn os(
    configured: &'static str,
    reported: &'static str,
    windows: bool,
    efi: bool,
    hardware: (u64, u64),
) -> Os {
    Os { configured, reported, windows, efi, hardware }
}

const WINDOWS_2016: Os = os(
    "Microsoft Windows Server 2016 or later (64-bit)",
    "Microsoft Windows Server 2016 (64-bit)",
    true,
    false,
    (11, 15),
);
const WINDOWS_2019: Os = os(
    "Microsoft Windows Server 2019 (64-bit)",
    "Microsoft Windows Server 2019 (64-bit)",
    true,
    true,
    (14, 19),
);
const WINDOWS_2022: Os = os(
    "Microsoft Windows Server 2022 (64-bit)",
    "Microsoft Windows Server 2022 (64-bit)",
    true,
    true,
    (19, 21),
);
const RHEL_8: Os = os(
    "Red Hat Enterprise Linux 8 (64-bit)",
    "Red Hat Enterprise Linux 8 (64-bit)",
    false,
    true,
    (14, 19),
);
const RHEL_9: Os = os(
    "Red Hat Enterprise Linux 9 (64-bit)",
    "Red Hat Enterprise Linux 9 (64-bit)",
    false,
    true,
    (19, 21),
);
const SLES_12: Os = os(
    "SUSE Linux Enterprise 12 (64-bit)",
    "SUSE Linux Enterprise 12 (64-bit)",
    false,
    false,
    (11, 15),
);
pub(super) const SLES_15: Os = os(
    "SUSE Linux Enterprise 15 (64-bit)",
    "SUSE Linux Enterprise 15 (64-bit)",
    false,
    true,
    (14, 20),
);
pub(super) const ORACLE_LINUX_8: Os =
    os("Oracle Linux 8 (64-bit)", "Oracle Linux 8 (64-bit)", false, true, (14, 19));
pub(super) const PHOTON: Os =
    os("VMware Photon OS (64-bit)", "VMware Photon OS (64-bit)", false, false, (10, 13));
pub(super) const OTHER_LINUX: Os =
    os("Other 3.x or later Linux (64-bit)", "Linux 4.19.112 appliance", false, false, (10, 14));

/// Ordinary servers, with their share.
pub(super) const SERVERS: [(u64, Os); 15] = [
    (
        4,
        os(
            "Microsoft Windows Server 2012 (64-bit)",
            "Microsoft Windows Server 2012 R2 (64-bit)",
            true,
            false,
            (9, 11),
        ),
    ),
    (12, WINDOWS_2016),
    (16, WINDOWS_2019),
    (12, WINDOWS_2022),
    (
        2,
        os(
            "Microsoft Windows Server 2025 (64-bit)",
            "Microsoft Windows Server 2025 (64-bit)",
            true,
            true,
            (20, 21),
        ),
    ),
    (
        8,
        os(
            "Red Hat Enterprise Linux 7 (64-bit)",
            "Red Hat Enterprise Linux 7 (64-bit)",
            false,
            false,
            (10, 14),
        ),
    ),
    (13, RHEL_8),
    (10, RHEL_9),
    (5, os("CentOS 7 (64-bit)", "CentOS 7 (64-bit)", false, false, (10, 14))),
    (3, SLES_12),
    (3, SLES_15),
    (7, os("Ubuntu Linux (64-bit)", "Ubuntu Linux 22.04.4 LTS (64-bit)", false, true, (13, 20))),
    (2, os("Debian GNU/Linux 11 (64-bit)", "Debian GNU/Linux 12 (64-bit)", false, true, (14, 20))),
    (1, os("FreeBSD 12 or later versions (64-bit)", "FreeBSD 13.2", false, false, (13, 17))),
    (2, ORACLE_LINUX_8),
];

/// Desktops.
pub(super) const DESKTOPS: [(u64, Os); 2] = [
    (
        35,
        os("Microsoft Windows 10 (64-bit)", "Microsoft Windows 10 (64-bit)", true, true, (14, 19)),
    ),
    (
        65,
        os("Microsoft Windows 11 (64-bit)", "Microsoft Windows 11 (64-bit)", true, true, (19, 21)),
    ),
];

/// What nobody dares to touch.
pub(super) const RELICS: [(u64, Os); 6] = [
    (
        5,
        os(
            "Microsoft Windows Server 2008 R2 (64-bit)",
            "Microsoft Windows Server 2008 R2 (64-bit)",
            true,
            false,
            (7, 8),
        ),
    ),
    (
        2,
        os(
            "Microsoft Windows Server 2003 Standard (32-bit)",
            "Microsoft Windows Server 2003 Standard (32-bit)",
            true,
            false,
            (4, 7),
        ),
    ),
    (
        3,
        os(
            "Red Hat Enterprise Linux 6 (64-bit)",
            "Red Hat Enterprise Linux 6 (64-bit)",
            false,
            false,
            (7, 9),
        ),
    ),
    (1, os("Oracle Solaris 11 (64-bit)", "Oracle Solaris 11 (64-bit)", false, false, (8, 10))),
    (1, os("Other (64-bit)", "Other (64-bit)", false, false, (4, 8))),
    (
        1,
        os(
            "SUSE Linux Enterprise 11 (64-bit)",
            "SUSE Linux Enterprise 11 (64-bit)",
            false,
            false,
            (7, 9),
        ),
    ),
];
