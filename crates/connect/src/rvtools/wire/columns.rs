//! The tabs and columns of the format, as its manual and real exports list them.
//!
//! Columns are those of version 4.7; [`SINCE`] tells which of them older versions lack, [`ALIASES`]
//! under which other headers they have been seen.

/// A version of the exporting program, major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rvtools) struct Version(pub(in crate::rvtools) u32, pub(in crate::rvtools) u32);

impl Version {
    /// The first that this connector reads.
    pub(in crate::rvtools) const OLDEST: Self = Self(3, 0);
    pub(in crate::rvtools) const V3_7: Self = Self(3, 7);
    pub(in crate::rvtools) const V3_8: Self = Self(3, 8);
    pub(in crate::rvtools) const V3_9: Self = Self(3, 9);
    pub(in crate::rvtools) const V3_10: Self = Self(3, 10);
    pub(in crate::rvtools) const V3_11: Self = Self(3, 11);
    pub(in crate::rvtools) const V4_0: Self = Self(4, 0);
    pub(in crate::rvtools) const V4_1: Self = Self(4, 1);
    /// The first in which `VM UUID` is the instance UUID, not the BIOS UUID.
    pub(in crate::rvtools) const V4_3: Self = Self(4, 3);
    pub(in crate::rvtools) const V4_4: Self = Self(4, 4);
    pub(in crate::rvtools) const V4_6: Self = Self(4, 6);
}

/// One tab of the format.
#[derive(Debug)]
pub(in crate::rvtools) struct Tab {
    /// Sheet name.
    pub(in crate::rvtools) name: &'static str,
    /// First version that has it.
    pub(in crate::rvtools) since: Version,
    /// The model has a home for what it holds.
    pub(in crate::rvtools) modelled: bool,
    /// Headers, joined by ` · `.
    columns: &'static str,
}

impl Tab {
    /// Headers of the newest version.
    pub(in crate::rvtools) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.split(" · ").map(str::trim)
    }

    /// The tab of this sheet name (`vInfo`, `tabvInfo`, `RVTools_tabvInfo`), whatever its case.
    pub(in crate::rvtools) fn named(sheet: &str) -> Option<&'static Self> {
        let folded = sheet.trim().to_lowercase();
        let bare = folded.strip_prefix("rvtools_").unwrap_or(&folded);
        let bare = bare.strip_prefix("tab").unwrap_or(bare);
        TABS.iter().find(|tab| tab.name.eq_ignore_ascii_case(bare))
    }
}

/// Every tab. `vFloppy` ended with 4.0; the others are those of 4.7.
pub(in crate::rvtools) static TABS: &[Tab] = &[
    Tab {
        name: "vInfo",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · Config status · DNS Name · \
             Connection state · Guest state · Heartbeat · Consolidation Needed · PowerOn · \
             Suspended To Memory · Suspend time · Suspend Interval · Creation date · \
             Change Version · CPUs · Overall Cpu Readiness · Memory · Active Memory · NICs · Disks · \
             Total disk capacity MiB · Fixed Passthru HotPlug · min Required EVC Mode Key · \
             Latency Sensitivity · Op Notification Timeout · EnableUUID · CBT · Primary IP Address · \
             Network #1 · Network #2 · Network #3 · Network #4 · Network #5 · Network #6 · \
             Network #7 · Network #8 · Num Monitors · Video Ram KiB · Resource pool · Folder ID · \
             Folder · vApp · DAS protection · FT State · FT Role · FT Latency · FT Bandwidth · \
             FT Sec. Latency · Vm Failover In Progress · Provisioned MiB · In Use MiB · \
             Unshared MiB · HA Restart Priority · HA Isolation Response · HA VM Monitoring · \
             Cluster rule(s) · Cluster rule name(s) · Boot Required · Boot delay · \
             Boot retry delay · Boot retry enabled · Boot BIOS setup · Reboot PowerOff · \
             EFI Secure boot · Firmware · HW version · HW upgrade status · HW upgrade policy · \
             HW target · Path · Log directory · Snapshot directory · Suspend directory · \
             Annotation · Datacenter · Cluster · Host · OS according to the configuration file · \
             OS according to the VMware Tools · Customization Info · Guest Detailed Data · VM ID · \
             SMBIOS UUID · VM UUID · VI SDK Server type · VI SDK API Version · VI SDK Server · \
             VI SDK UUID",
    },
    Tab {
        name: "vCPU",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · CPUs · Sockets · Cores p/s · Max · \
             Overall · Level · Shares · Reservation · Entitlement · DRS Entitlement · Limit · \
             Hot Add · Hot Remove · Numa Hotadd Exposed · Annotation · Datacenter · Cluster · Host · \
             Folder · OS according to the configuration file · OS according to the VMware Tools · \
             VM ID · VM UUID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vMemory",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · Size MiB · \
             Memory Reservation Locked To Max · Overhead · Max · Consumed · Consumed Overhead · \
             Private · Shared · Swapped · Ballooned · Active · Entitlement · DRS Entitlement · \
             Level · Shares · Reservation · Limit · Hot Add · Annotation · Datacenter · Cluster · \
             Host · Folder · OS according to the configuration file · \
             OS according to the VMware Tools · VM ID · VM UUID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vDisk",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · Disk · Disk Key · Disk UUID · \
             Disk Path · Capacity MiB · Raw · Disk Mode · Sharing mode · Thin · Eagerly Scrub · \
             Split · Write Through · Level · Shares · Reservation · Limit · Controller · Label · \
             SCSI Unit # · Unit # · Shared Bus · Path · Raw LUN ID · Raw Comp. Mode · \
             Internal Sort Column · Annotation · Datacenter · Cluster · Host · Folder · \
             OS according to the configuration file · OS according to the VMware Tools · VM ID · \
             VM UUID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vPartition",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · Disk Key · Disk · Capacity MiB · \
             Consumed MiB · Free MiB · Free % · Internal Sort Column · Annotation · Datacenter · \
             Cluster · Host · Folder · OS according to the configuration file · \
             OS according to the VMware Tools · VM ID · VM UUID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vNetwork",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · NIC label · Adapter · Network · Switch · \
             Connected · Starts Connected · Mac Address · Type · IPv4 Address · IPv6 Address · \
             Direct Path IO · Internal Sort Column · Annotation · Datacenter · Cluster · Host · \
             Folder · OS according to the configuration file · OS according to the VMware Tools · \
             VM ID · VM UUID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vCD",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · Device Node · Connected · \
             Starts Connected · Device Type · Annotation · Datacenter · Cluster · Host · Folder · \
             OS according to the configuration file · OS according to the VMware Tools · VMRef · \
             VM ID · VM UUID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vUSB",
        since: Version::V4_1,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · Device Node · Device Type · Connected · \
             Family · Speed · EHCI enabled · Auto connect · Bus number · Unit number · Annotation · \
             Datacenter · Cluster · Host · Folder · OS according to the configuration file · \
             OS according to the VMware tools · VMRef · VM ID · VM UUID · VI SDK Server · \
             VI SDK UUID",
    },
    Tab {
        name: "vSnapshot",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Name · Description · Date / time · Filename · Size MiB (vmsn) · \
             Size MiB (total) · Quiesced · State · Annotation · Datacenter · Cluster · Host · \
             Folder · OS according to the configuration file · OS according to the VMware Tools · \
             VM ID · VM UUID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vTools",
        since: Version::OLDEST,
        modelled: true,
        columns: "VM · Powerstate · Template · SRM Placeholder · VM Version · Tools · Tools Version · \
             Required Version · Upgradeable · Upgrade Policy · Sync time · App status · \
             Heartbeat status · Kernel Crash state · Operation Ready · State change support · \
             Interactive Guest · Annotation · Datacenter · Cluster · Host · Folder · \
             OS according to the configuration file · OS according to the VMware Tools · VMRef · \
             VM ID · VM UUID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vSource",
        since: Version::V4_3,
        modelled: true,
        columns: "Name · OS type · API type · API version · Version · Patch level · Build · Fullname · \
             Product name · Product version · Product line · Vendor · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vRP",
        since: Version::OLDEST,
        modelled: true,
        columns: "Resource Pool name · Resource Pool path · Status · # VMs total · # VMs · # vCPUs · \
             CPU limit · CPU overheadLimit · CPU reservation · CPU level · CPU shares · \
             CPU expandableReservation · CPU maxUsage · CPU overallUsage · CPU reservationUsed · \
             CPU reservationUsedForVm · CPU unreservedForPool · CPU unreservedForVm · \
             Mem Configured · Mem limit · Mem overheadLimit · Mem reservation · Mem level · \
             Mem shares · Mem expandableReservation · Mem maxUsage · Mem overallUsage · \
             Mem reservationUsed · Mem reservationUsedForVm · Mem unreservedForPool · \
             Mem unreservedForVm · QS overallCpuDemand · QS overallCpuUsage · \
             QS staticCpuEntitlement · QS distributedCpuEntitlement · QS balloonedMemory · \
             QS compressedMemory · QS consumedOverheadMemory · QS distributedMemoryEntitlement · \
             QS guestMemoryUsage · QS hostMemoryUsage · QS overheadMemory · QS privateMemory · \
             QS sharedMemory · QS staticMemoryEntitlement · QS swappedMemory · Object ID · \
             VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vCluster",
        since: Version::OLDEST,
        modelled: true,
        columns: "Name · Config status · OverallStatus · NumHosts · numEffectiveHosts · TotalCpu · \
             NumCpuCores · NumCpuThreads · Effective Cpu · TotalMemory · Effective Memory · \
             Num VMotions · HA enabled · Failover Level · AdmissionControlEnabled · \
             Host monitoring · HB Datastore Candidate Policy · Isolation Response · \
             Restart Priority · Cluster Settings · Max Failures · Max Failure Window · \
             Failure Interval · Min Up Time · VM Monitoring · DRS enabled · \
             DRS default VM behavior · DRS vmotion rate · DPM enabled · DPM default behavior · \
             DPM Host Power Action Rate · Object ID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vHost",
        since: Version::OLDEST,
        modelled: true,
        columns: "Host · Datacenter · Cluster · Config status · Compliance Check State · \
             in Maintenance Mode · in Quarantine Mode · vSAN Fault Domain Name · CPU Model · Speed · \
             HT Available · HT Active · # CPU · Cores per CPU · # Cores · CPU usage % · # Memory · \
             Memory Tiering Type · Memory usage % · Console · # NICs · # HBAs · # VMs total · \
             # VMs · VMs per Core · # vCPUs · vCPUs per Core · vRAM · VM Used memory · \
             VM Memory Swapped · VM Memory Ballooned · VMotion support · Storage VMotion support · \
             Current EVC · Max EVC · Assigned License(s) · ATS Heartbeat · ATS Locking · \
             Current CPU power man. policy · Supported CPU power man. · Host Power Policy · \
             ESX Version · Boot time · DNS Servers · DHCP · Domain · Domain List · \
             DNS Search Order · NTP Server(s) · NTPD running · Time Zone · Time Zone Name · \
             GMT Offset · Vendor · Model · Serial number · Service tag · OEM specific string · \
             BIOS Vendor · BIOS Version · BIOS Date · Certificate Issuer · Certificate Start Date · \
             Certificate Expiry Date · Certificate Status · Certificate Subject · Object ID · UUID · \
             VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vHBA",
        since: Version::OLDEST,
        modelled: false,
        columns: "Host · Datacenter · Cluster · Device · Type · Status · Bus · Pci · Driver · Model · \
             WWN · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vNIC",
        since: Version::OLDEST,
        modelled: false,
        columns: "Host · Datacenter · Cluster · Network Device · Driver · Speed · Duplex · MAC · Switch · \
             Uplink port · PCI · WakeOn · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vSwitch",
        since: Version::OLDEST,
        modelled: true,
        columns: "Host · Datacenter · Cluster · Switch · # Ports · Free Ports · Promiscuous Mode · \
             Mac Changes · Forged Transmits · Traffic Shaping · Width · Peak · Burst · Policy · \
             Reverse Policy · Notify Switch · Rolling Order · Offload · TSO · Zero Copy Xmit · MTU · \
             VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vPort",
        since: Version::OLDEST,
        modelled: true,
        columns: "Host · Datacenter · Cluster · Port Group · Switch · VLAN · Promiscuous Mode · \
             Mac Changes · Forged Transmits · Traffic Shaping · Width · Peak · Burst · Policy · \
             Reverse Policy · Notify Switch · Rolling Order · Offload · TSO · Zero Copy Xmit · \
             VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "dvSwitch",
        since: Version::OLDEST,
        modelled: true,
        columns: "Switch · Datacenter · Name · Vendor · Version · Description · Created · Host members · \
             Max Ports · # Ports · # VMs · In Traffic Shaping · In Avg · In Peak · In Burst · \
             Out Traffic Shaping · Out Avg · Out Peak · Out Burst · CDP Type · CDP Operation · \
             LACP Name · LACP Mode · LACP Load Balance Alg. · Max MTU · Contact · Admin Name · \
             Object ID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "dvPort",
        since: Version::OLDEST,
        modelled: true,
        columns: "Port · Switch · Type · # Ports · VLAN · Speed · Full Duplex · Blocked · \
             Allow Promiscuous · Mac Changes · Active Uplink · Standby Uplink · Policy · \
             Forged Transmits · In Traffic Shaping · In Avg · In Peak · In Burst · \
             Out Traffic Shaping · Out Avg · Out Peak · Out Burst · Reverse Policy · Notify Switch · \
             Rolling Order · Check Beacon · Live Port Moving · Check Duplex · Check Error % · \
             Check Speed · Percentage · Block Override · Config Reset · Shaping Override · \
             Vendor Config Override · Sec. Policy Override · Teaming Override · Vlan Override · \
             Object ID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vSC_VMK",
        since: Version::OLDEST,
        modelled: true,
        columns: "Host · Datacenter · Cluster · Port Group · Device · Mac Address · DHCP · IP Address · \
             IP 6 Address · Subnet mask · Gateway · IP 6 Gateway · MTU · VI SDK Server · \
             VI SDK UUID",
    },
    Tab {
        name: "vDatastore",
        since: Version::OLDEST,
        modelled: true,
        columns: "Name · Config status · Address · Accessible · Type · # VMs total · # VMs · \
             Capacity MiB · Provisioned MiB · In Use MiB · Free MiB · Free % · SIOC enabled · \
             SIOC Threshold · # Hosts · Hosts · Cluster name · Cluster capacity MiB · \
             Cluster free space MiB · Block size · Max Blocks · # Extents · Major Version · \
             Version · VMFS Upgradeable · MHA · URL · Object ID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vMultiPath",
        since: Version::OLDEST,
        modelled: false,
        columns: "Host · Cluster · Datacenter · Datastore · Disk · Display name · Policy · Oper. State · \
             Path 1 · Path 1 state · Path 2 · Path 2 state · Path 3 · Path 3 state · Path 4 · \
             Path 4 state · Path 5 · Path 5 state · Path 6 · Path 6 state · Path 7 · Path 7 state · \
             Path 8 · Path 8 state · vStorage · Queue depth · Vendor · Model · Revision · Level · \
             Serial # · UUID · Object ID · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vLicense",
        since: Version::V3_9,
        modelled: true,
        columns: "Name · Key · Labels · Cost Unit · Total · Used · Expiration Date · Features · \
             VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vFileInfo",
        since: Version::V4_1,
        modelled: false,
        columns: "Friendly Path Name · File Name · File Type · File Size in bytes · Path · \
             Internal Sort Column · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vHealth",
        since: Version::OLDEST,
        modelled: false,
        columns: "Name · Message · Message type · VI SDK Server · VI SDK UUID",
    },
    Tab {
        name: "vMetaData",
        since: Version::V3_10,
        modelled: true,
        columns: "RVTools major version · RVTools version · xlsx creation datetime · Server",
    },
    Tab {
        name: "vFloppy",
        since: Version::OLDEST,
        modelled: false,
        columns: "VM · Powerstate · Template · Device Node · Connected · Starts Connected · \
             Device Type · Annotation · Datacenter · Cluster · Host · Folder · \
             OS according to the configuration file · OS according to the VMware Tools · VMRef · \
             VM ID · VM UUID · VI SDK Server · VI SDK UUID",
    },
];

/// Columns that older versions lack: tab (`*` = all), header, first version.
pub(in crate::rvtools) static SINCE: &[(&str, &str, Version)] = &[
    ("*", "Folder", Version::V3_7),
    ("*", "VM ID", Version::V3_8),
    ("*", "VM UUID", Version::V3_8),
    ("*", "VI SDK UUID", Version::V3_8),
    ("*", "VI SDK Server", Version::V3_9),
    ("*", "OS according to the VMware Tools", Version::V3_9),
    ("*", "SRM Placeholder", Version::V4_1),
    ("*", "Object ID", Version::V4_0),
    ("vInfo", "EnableUUID", Version::V3_10),
    ("vInfo", "CBT", Version::V3_10),
    ("vInfo", "Latency Sensitivity", Version::V3_10),
    ("vInfo", "Creation date", Version::V3_11),
    ("vInfo", "Primary IP Address", Version::V3_11),
    ("vInfo", "min Required EVC Mode Key", Version::V4_0),
    ("vInfo", "SMBIOS UUID", Version::V4_4),
    ("vInfo", "Total disk capacity MiB", Version::V4_4),
    ("vInfo", "Folder ID", Version::V4_4),
    ("vInfo", "FT Role", Version::V4_4),
    ("vInfo", "Reboot PowerOff", Version::V4_4),
    ("vInfo", "EFI Secure boot", Version::V4_4),
    ("vInfo", "Suspended To Memory", Version::V4_6),
    ("vInfo", "Suspend Interval", Version::V4_6),
    ("vInfo", "Overall Cpu Readiness", Version::V4_6),
    ("vInfo", "Active Memory", Version::V4_6),
    ("vInfo", "Fixed Passthru HotPlug", Version::V4_6),
    ("vInfo", "Op Notification Timeout", Version::V4_6),
    ("vInfo", "Vm Failover In Progress", Version::V4_6),
    ("vInfo", "Customization Info", Version::V4_6),
    ("vInfo", "Guest Detailed Data", Version::V4_6),
    ("vDisk", "Disk Key", Version::V4_1),
    ("vDisk", "Disk Path", Version::V4_1),
    ("vDisk", "Disk UUID", Version::V4_4),
    ("vDisk", "Sharing mode", Version::V4_4),
    ("vPartition", "Disk Key", Version::V4_1),
    ("vPartition", "Consumed MiB", Version::V3_9),
    ("vNetwork", "IPv6 Address", Version::V4_1),
    ("vDatastore", "Cluster name", Version::V3_10),
    ("vHealth", "Message type", Version::V3_10),
    ("vHost", "Compliance Check State", Version::V4_6),
    ("vHost", "Domain List", Version::V4_6),
    ("vHost", "Memory Tiering Type", Version::V4_6),
    ("vHost", "Certificate Issuer", Version::V4_6),
    ("vHost", "Certificate Start Date", Version::V4_6),
    ("vHost", "Certificate Expiry Date", Version::V4_6),
    ("vHost", "Certificate Status", Version::V4_6),
    ("vHost", "Certificate Subject", Version::V4_6),
];

/// Other headers under which a column has been seen: tab (`*` = all), header as folded by
/// [`fold`](super::header::fold), the column.
pub(in crate::rvtools) static ALIASES: &[(&str, &str, &str)] = &[
    ("*", "vcenter uuid", "VI SDK UUID"),
    ("vInfo", "disk.enableuuid", "EnableUUID"),
    ("vInfo", "os", "OS according to the configuration file"),
    ("vNetwork", "ip address", "IPv4 Address"),
    ("vNetwork", "vmnetwork", "Network"),
    ("vSnapshot", "snapshot", "Name"),
    ("vCluster", "cluster", "Name"),
    ("vDatastore", "datastore", "Name"),
    ("dvPort", "port group", "Port"),
];

/// Internal column names (an option of the exporter): tab, the name without the tab's own as squeezed
/// by [`squeeze`](super::header::squeeze), the column. Others are recognised by being a header
/// without its spaces.
pub(in crate::rvtools) static INTERNAL_NAMES: &[(&str, &str, &str)] = &[
    ("*", "vmname", "VM"),
    ("vInfo", "guesthostname", "DNS Name"),
    ("vInfo", "os", "OS according to the configuration file"),
    ("vInfo", "ostools", "OS according to the VMware Tools"),
    ("*", "uuid", "VM UUID"),
    ("vInfo", "numvirtualdisks", "Disks"),
    ("vInfo", "createdate", "Creation date"),
    ("vInfo", "vmid", "VM ID"),
    ("vHost", "name", "Host"),
    ("vHost", "cpumhz", "Speed"),
    ("vHost", "numcpu", "# CPU"),
    ("vHost", "numcpucores", "# Cores"),
    ("vHost", "memorysize", "# Memory"),
];
