// SPDX-License-Identifier: Apache-2.0

// Generated from api/diagnostics.yaml; see there.
namespace Weft.Model.Diagnostics;

/// <summary>Messages WEFT3000 to WEFT3999: the compiler.</summary>
public static class CompilerMessages
{
    public static DiagnosticMessage UnknownHost { get; } = new(
        "WEFT3001",
        Severity.Warning,
        "The destination host '{host}' is no service that the mesh knows.",
        "Create the service or correct the name; until then requests that take this rule are answered 503 (flag NC).",
        "A name without a dot is a service of the object's own namespace; a name with a dot is taken literally.",
        "IST0101");

    public static DiagnosticMessage UnknownSubset { get; } = new(
        "WEFT3002",
        Severity.Warning,
        "No DestinationRule that these clients use defines the subset '{subset}' of '{host}'.",
        "Define the subset or remove it from the rule; until then requests that take this rule are answered 503 (flag NC).",
        "A DestinationRule is looked up in the client's namespace, then in the service's, then in the root namespace; the first level with one decides.",
        "IST0101");

    public static DiagnosticMessage UnknownPort { get; } = new(
        "WEFT3003",
        Severity.Warning,
        "The service '{host}' has no port {port}; it has {ports}.",
        "Write one of the service's own ports; until then requests that take this rule are answered 503 (flag NC).",
        "The port of a destination is the service's port, not the container's.",
        "IST0101");

    public static DiagnosticMessage CredentialNeedsSelector { get; } = new(
        "WEFT3004",
        Severity.Info,
        "The credential of {host} is for gateways only; requests of other workloads to it are answered 503 (flag NC).",
        "Add workloadSelector with the labels of the clients that may have it.",
        "A Secret is given to those that are named, and only in their own namespace. Without it the connection would not be what the rule asks for; so there is none.");

    public static DiagnosticMessage HostTaken { get; } = new(
        "WEFT3005",
        Severity.Warning,
        "'{host}' is routed by {winner} already; this rule has no effect for it.",
        "Put the rules into one object, or use different hosts.",
        "Of several objects for one host the oldest is used, as a whole.",
        "IST0109");

    public static DiagnosticMessage PeerModeTaken { get; } = new(
        "WEFT3006",
        Severity.Warning,
        "The mode of namespace {namespace} is set by {winner} already; this object has no effect.",
        "Keep one object without a selector in each namespace.",
        "Of several objects at one level the oldest is used.");

    public static DiagnosticMessage EmptySubset { get; } = new(
        "WEFT3007",
        Severity.Warning,
        "The subset '{subset}' of '{host}' selects no endpoint.",
        "Compare its labels with those of the pods.",
        "Requests that are routed to it are answered 503 with flag UH until there is one.",
        "IST0173");

    public static DiagnosticMessage PolicyTaken { get; } = new(
        "WEFT3008",
        Severity.Warning,
        "The policy for '{host}' is set by {winner} already; the one of this object has no effect.",
        "Put the policies into one object.",
        "Subsets of several objects are put together; of their policies the oldest object's is used, as a whole.");

    public static DiagnosticMessage SubsetTaken { get; } = new(
        "WEFT3009",
        Severity.Warning,
        "The subset '{subset}' of '{host}' is defined by {winner} already; this definition has no effect.",
        "Give it another name, or remove it.",
        "Of several definitions the oldest is used.");

    public static DiagnosticMessage RuleWithoutService { get; } = new(
        "WEFT3010",
        Severity.Warning,
        "No service is called '{host}'; this object has no effect.",
        "Check the name; a name without a dot is a service of the object's own namespace.",
        "It takes effect as soon as a service of that name exists.",
        "IST0174");

    public static DiagnosticMessage PortNotSaid { get; } = new(
        "WEFT3011",
        Severity.Warning,
        "'{host}' has several ports ({ports}), and the destination names none.",
        "Give the destination a port.",
        "The port that the request came for is used; if the service does not have it, requests are answered 503 with flag NC.",
        "IST0112");

    public static DiagnosticMessage FailoverWithoutDetection { get; } = new(
        "WEFT3012",
        Severity.Warning,
        "The failover of '{host}' has no effect: nothing takes its failing endpoints out of rotation.",
        "Add outlierDetection to the same policy.",
        "Others serve only as far as the nearest are not healthy enough, and without detection all count as healthy.");

    public static DiagnosticMessage UnknownDelegate { get; } = new(
        "WEFT3013",
        Severity.Warning,
        "There is no VirtualService {name} to delegate to.",
        "Create it, or correct its name; until then this rule has no effect.",
        "Without a namespace it is looked for in the namespace of the object that delegates.");

    public static DiagnosticMessage NotADelegate { get; } = new(
        "WEFT3014",
        Severity.Warning,
        "The rule cannot delegate to VirtualService {name}: {reason}.",
        "Delegate to an object without hosts whose exportTo includes this namespace; until then this rule has no effect.",
        "An object with hosts of its own takes effect by itself.");

    public static DiagnosticMessage DelegateContradicts { get; } = new(
        "WEFT3015",
        Severity.Warning,
        "This rule never applies where {root} delegates to it: its matches contradict the ones there.",
        "Let it match something inside of what the delegating rule matches, for example a longer prefix.",
        "A request must satisfy both rules' matches; a part that both name must be narrower in the delegate.");

    public static DiagnosticMessage UnusedDelegate { get; } = new(
        "WEFT3016",
        Severity.Warning,
        "The VirtualService has no hosts, and no other delegates to it: it has no effect.",
        "Give it hosts, or delegate to it from a rule of another VirtualService.",
        "Without hosts an object only holds rules for others.");

    public static DiagnosticMessage GatewaySelectsNothing { get; } = new(
        "WEFT3017",
        Severity.Warning,
        "No workload has the labels that the Gateway selects; it has no effect.",
        "Compare its selector with the labels of the gateway's pods.",
        "Workloads of every namespace are looked at.",
        "IST0101");

    public static DiagnosticMessage UnknownGateway { get; } = new(
        "WEFT3018",
        Severity.Warning,
        "There is no Gateway {name}; the routes have no effect there.",
        "Create it, or correct its name; a name without a namespace is looked for in the object's own.",
        "The name 'mesh' stands for the sidecars.",
        "IST0101");

    public static DiagnosticMessage HostNotAtGateway { get; } = new(
        "WEFT3019",
        Severity.Warning,
        "No server of Gateway {name} is for any of these hosts; the routes have no effect there.",
        "Add the hosts to the Gateway, or correct them.",
        "A server's host may be preceded by a namespace, which says whose routes it takes.",
        "IST0132");

    public static DiagnosticMessage GatewayPortTaken { get; } = new(
        "WEFT3020",
        Severity.Warning,
        "Port {port} speaks {protocol} already because of {winner}; this server has no effect.",
        "Use another port.",
        "Plain HTTP, TLS and TCP cannot share a port; of several Gateways for one workload the oldest decides.");

    public static DiagnosticMessage ServerHostTaken { get; } = new(
        "WEFT3021",
        Severity.Warning,
        "'{host}' at port {port} is served because of {winner} already; this server has no effect for it.",
        "Use another host or port.",
        "Over TLS a server is chosen by name, so a name belongs to one server of a port; the oldest Gateway's has it.",
        "IST0145");

    public static DiagnosticMessage CredentialMissing { get; } = new(
        "WEFT3040",
        Severity.Error,
        "There is no Secret {secret} with {what} for the gateway's pods; handshakes with this server fail.",
        "Create it there; it takes effect without a restart.",
        "A gateway's credentials lie in the namespace of its pods. Keys are in tls.crt and tls.key (or cert and key), roots in ca.crt (or cacert), in the Secret itself or in one with -cacert behind its name.",
        "IST0101");

    public static DiagnosticMessage CredentialBroken { get; } = new(
        "WEFT3041",
        Severity.Error,
        "The Secret {secret} cannot be used: {problem}.",
        "Correct it; the last good one stays in force until then, if there was one.",
        "Certificates and keys are PEM, the server's own certificate first, and the key must belong to it.",
        "IST0161");

    public static DiagnosticMessage CredentialDenied { get; } = new(
        "WEFT3042",
        Severity.Error,
        "Service account {account} may not list Secrets in {namespace}, so its proxy gets no certificates.",
        "Bind it to a Role there with the verbs get, list and watch on secrets.",
        "Who may not read a Secret does not get it through a gateway either.");

    public static DiagnosticMessage ServerNotVerified { get; } = new(
        "WEFT3101",
        Severity.Warning,
        "TLS mode {mode} for '{host}' names no caCertificates.",
        "Name the file with the authorities that the server's certificate must come from.",
        "Without it the system's authorities are used.",
        "IST0128");

    public static DiagnosticMessage ServerNotVerifiedAtPort { get; } = new(
        "WEFT3102",
        Severity.Warning,
        "TLS mode {mode} for port {port} of '{host}' names no caCertificates.",
        "Name the file with the authorities that the server's certificate must come from.",
        "Without it the system's authorities are used.",
        "IST0129");

    public static DiagnosticMessage DuplicateCertificate { get; } = new(
        "WEFT3103",
        Severity.Warning,
        "The certificate '{credential}' is used by {other} too.",
        "Put the servers into one Gateway.",
        "Clients that use one HTTP/2 connection for all names of a certificate get 404 for those of the other Gateway.",
        "IST0138");

    public static DiagnosticMessage ConflictingGateways { get; } = new(
        "WEFT3104",
        Severity.Error,
        "{other} serves '{host}' at port {port} of the same workloads.",
        "Put the servers into one Gateway, or use different hosts.",
        "Which of the two decides depends on their age.",
        "IST0145");

    public static DiagnosticMessage GatewayPortNotAtService { get; } = new(
        "WEFT3105",
        Severity.Warning,
        "No service of the gateway's workloads leads to port {port}.",
        "Add the port to the service {services}.",
        "Clients reach a gateway through its service; a port that is not there cannot be reached from outside.",
        "IST0162");

    public static DiagnosticMessage SubsetsNotAtIngress { get; } = new(
        "WEFT3107",
        Severity.Warning,
        "The subsets of {other} have no effect on requests from gateway '{gateway}', which this rule sends to '{host}'.",
        "Name the subset here, or bind the other object to the gateway too.",
        "Requests from a gateway are routed by the objects that are bound to it, once.",
        "IST0140");

    public static DiagnosticMessage InternalGateway { get; } = new(
        "WEFT3108",
        Severity.Warning,
        "The gateway '{gateway}' is made by the control plane and has no fixed name.",
        "Refer to the Gateway API object.",
        "Such objects are renamed at any time.",
        "IST0165");

    public static DiagnosticMessage ShadowedRule { get; } = new(
        "WEFT3110",
        Severity.Warning,
        "The rule {rule} is never reached for {match}: {earlier} takes such requests first.",
        "Move the narrower rule before the wider one.",
        "The first rule that matches decides; a longer prefix does not win by being longer.");

    public static DiagnosticMessage UnusedSubset { get; } = new(
        "WEFT3111",
        Severity.Info,
        "No rule sends anything to the subset '{subset}' of '{host}'.",
        "Remove it, or name it in a VirtualService.",
        "Its policy applies only to requests that a rule sends to it.");

    public static DiagnosticMessage ContradictoryDialects { get; } = new(
        "WEFT3112",
        Severity.Warning,
        "'{host}' has its {what} from {winner} and from {loser}; the first is used.",
        "Keep one of the two.",
        "Objects about destinations and routes come before what a service's own annotations say, block by block.");

    public static DiagnosticMessage ManyRetries { get; } = new(
        "WEFT3113",
        Severity.Warning,
        "One request may become {tries} tries.",
        "Use fewer attempts, or a retry budget in the DestinationRule.",
        "When a server is overloaded, retries multiply its load; where several services in a row retry, the numbers multiply too.");

    public static DiagnosticMessage PerTryTimeoutNeverFires { get; } = new(
        "WEFT3114",
        Severity.Warning,
        "perTryTimeout {try} is not shorter than the timeout {whole}: it never fires, and nothing is tried again after it.",
        "Make it shorter than the timeout divided by the tries.",
        "The timeout is for the request with all its tries.");

    public static DiagnosticMessage TimeoutNeverFires { get; } = new(
        "WEFT3115",
        Severity.Info,
        "The timeout {whole} never fires: {tries} tries of {try} and their pauses end before.",
        "Remove it, or shorten it.",
        "The timeout is for the request with all its tries.");

    public static DiagnosticMessage SelectorSelectsNothing { get; } = new(
        "WEFT3116",
        Severity.Warning,
        "No workload has the labels {labels} that '{field}' asks for.",
        "Compare them with the labels of the pods.",
        "Selectors are compared with the labels of pods, not with those of services or deployments.");

    public static DiagnosticMessage SourceSelectsNothing { get; } = new(
        "WEFT3117",
        Severity.Warning,
        "The rule {rule} is for clients with the labels {labels}, and no workload has them.",
        "Compare them with the labels of the pods.",
        "sourceLabels are compared with the labels of the client's pod.");

    public static DiagnosticMessage SidecarsOverlap { get; } = new(
        "WEFT3130",
        Severity.Warning,
        "{other} selects the pod {pod} too; the older of the two counts for it.",
        "Make the selectors different, or put both into one object.",
        "A proxy has one Sidecar: one that selects its pod, else its namespace's, else the mesh's; of several the oldest.",
        "IST0110");

    public static DiagnosticMessage SeveralSidecars { get; } = new(
        "WEFT3131",
        Severity.Warning,
        "{other} is for every pod of namespace {namespace} too; the older of the two counts.",
        "Keep one, or give one of them a workloadSelector.",
        "A proxy has one Sidecar: one that selects its pod, else its namespace's, else the mesh's; of several the oldest.",
        "IST0111");

    public static DiagnosticMessage EntryProtocolsDiffer { get; } = new(
        "WEFT3132",
        Severity.Warning,
        "{other} says {theirs} for port {port} of '{host}', and this one {own}.",
        "Say the same protocol in both.",
        "Of several entries for a host one counts: that of the client's namespace, else the oldest. With different protocols, clients of two namespaces speak differently to one server.",
        "IST0177");

    public static DiagnosticMessage HostShared { get; } = new(
        "WEFT3133",
        Severity.Warning,
        "{other} is for the host '{host}' too, and has no effect on it: this one is older.",
        "Put the rules into one object, or let one delegate to the other.",
        "For requests inside the mesh one VirtualService decides about a host; behind gateways the rules of several are put together.",
        "IST0109");

    public static DiagnosticMessage PatchBreaksAtUpgrade { get; } = new(
        "WEFT3134",
        Severity.Warning,
        "The patch stands relative to '{filter}', which an earlier patch names with a proxyVersion, and the object has no priority.",
        "Set spec.priority, or do not ask for a proxyVersion.",
        "A proxy of another version does not get the earlier patch; what is relative to it lands somewhere else then, or nowhere.",
        "IST0155");

    public static EquatableArray<DiagnosticMessage> All { get; } =
    [
        UnknownHost,
        UnknownSubset,
        UnknownPort,
        CredentialNeedsSelector,
        HostTaken,
        PeerModeTaken,
        EmptySubset,
        PolicyTaken,
        SubsetTaken,
        RuleWithoutService,
        PortNotSaid,
        FailoverWithoutDetection,
        UnknownDelegate,
        NotADelegate,
        DelegateContradicts,
        UnusedDelegate,
        GatewaySelectsNothing,
        UnknownGateway,
        HostNotAtGateway,
        GatewayPortTaken,
        ServerHostTaken,
        CredentialMissing,
        CredentialBroken,
        CredentialDenied,
        ServerNotVerified,
        ServerNotVerifiedAtPort,
        DuplicateCertificate,
        ConflictingGateways,
        GatewayPortNotAtService,
        SubsetsNotAtIngress,
        InternalGateway,
        ShadowedRule,
        UnusedSubset,
        ContradictoryDialects,
        ManyRetries,
        PerTryTimeoutNeverFires,
        TimeoutNeverFires,
        SelectorSelectsNothing,
        SourceSelectsNothing,
        SidecarsOverlap,
        SeveralSidecars,
        EntryProtocolsDiffer,
        HostShared,
        PatchBreaksAtUpgrade,
    ];
}
