// SPDX-License-Identifier: Apache-2.0

// Generated from api/diagnostics.yaml; see there.
namespace Weft.Model.Diagnostics;

/// <summary>Messages WEFT2000 to WEFT2999: Istio objects.</summary>
public static class IstioMessages
{
    public static DiagnosticMessage MissingAction { get; } = new(
        "WEFT2001",
        Severity.Error,
        "The rule {rule} says neither where requests go nor what they are answered.",
        "Give it one of route, redirect, directResponse.",
        "Every rule of a VirtualService needs exactly one action.");

    public static DiagnosticMessage FieldNotWithAction { get; } = new(
        "WEFT2002",
        Severity.Error,
        "'{field}' cannot be combined with '{action}'.",
        "Remove one of the two.",
        "A redirect or direct response ends the request at the client's proxy; what acts on the way to a destination has no place then.");

    public static DiagnosticMessage BadHost { get; } = new(
        "WEFT2003",
        Severity.Error,
        "'{host}' is not a valid host: {rule}.",
        "Write a service name, a full domain name, or a wildcard such as *.example.com.",
        "A name without a dot is a service of the object's own namespace; a name with a dot is taken literally.");

    public static DiagnosticMessage DuplicateHost { get; } = new(
        "WEFT2004",
        Severity.Error,
        "The host '{host}' is given twice.",
        "Remove one of them.",
        "Short names count as the full names that they stand for.");

    public static DiagnosticMessage WildcardHostInMesh { get; } = new(
        "WEFT2005",
        Severity.Error,
        "The host '*' is not allowed for sidecars (gateway 'mesh').",
        "Name the hosts, or bind the object to a gateway.",
        "Such a rule would take every request of every workload.");

    public static DiagnosticMessage BadRegex { get; } = new(
        "WEFT2006",
        Severity.Error,
        "The regular expression '{pattern}' of '{field}' is not valid: {reason}.",
        "Use RE2 syntax; the whole text must match.",
        "RE2 has no look-around and no back-references, so that matching takes time in proportion to the text.");

    public static DiagnosticMessage RegexTooLong { get; } = new(
        "WEFT2007",
        Severity.Error,
        "The regular expression of '{field}' has {length} characters; at most {limit} are allowed.",
        "Shorten it, or use several matches.",
        "The limit is Istio's.");

    public static DiagnosticMessage MatchKindCount { get; } = new(
        "WEFT2008",
        Severity.Error,
        "'{field}' must have exactly one of exact, prefix, regex.",
        "Keep the one that is meant.",
        "Several conditions on one text are written as one regular expression.");

    public static DiagnosticMessage BadHeaderName { get; } = new(
        "WEFT2009",
        Severity.Error,
        "'{name}' is not a valid header name.",
        "Use letters, digits and '-'.",
        "RFC 9110 §5.6.2. Pseudo-headers (':path') have fields of their own.");

    public static DiagnosticMessage BadHeaderValue { get; } = new(
        "WEFT2010",
        Severity.Error,
        "The value '{value}' of the header '{name}' is not valid: {reason}.",
        "Write '%%' for a percent sign, and '%OPERATOR%' for what the proxy fills in.",
        "A '%' begins an operator such as %REQ(x-request-id)% in header values.");

    public static DiagnosticMessage ZeroWeights { get; } = new(
        "WEFT2011",
        Severity.Error,
        "The weights of {rule} add up to 0.",
        "Give at least one destination a weight.",
        "With several destinations one without a weight gets nothing; with a single destination the weight does not count.");

    public static DiagnosticMessage FaultWithoutEffect { get; } = new(
        "WEFT2012",
        Severity.Error,
        "'{field}' has neither delay nor abort.",
        "Add one of them, or remove the fault.",
        "A fault needs at least one of the two.");

    public static DiagnosticMessage RetriesOffWithFields { get; } = new(
        "WEFT2013",
        Severity.Error,
        "'{field}' has no effect because attempts is 0 or missing.",
        "Set attempts to 1 or more, or remove the other fields.",
        "attempts: 0 turns retries off; without retries at all the mesh's default of 2 applies.");

    public static DiagnosticMessage UnknownRetryCondition { get; } = new(
        "WEFT2014",
        Severity.Error,
        "'{token}' is not a condition for retries.",
        "Write one of: {allowed}, or a status code.",
        "Conditions are separated by commas; numbers are status codes that are retried.");

    public static DiagnosticMessage BadPercentage { get; } = new(
        "WEFT2015",
        Severity.Error,
        "'{field}' is {value}, which is no percentage.",
        "Write a number from 0 to 100.",
        "Shares are counted in parts per million.");

    public static DiagnosticMessage BodyTooLarge { get; } = new(
        "WEFT2016",
        Severity.Error,
        "The body has {size} bytes; at most {limit} are allowed.",
        "Serve it from a workload.",
        "A direct response is part of the configuration of every proxy.");

    public static DiagnosticMessage BodyLarge { get; } = new(
        "WEFT2017",
        Severity.Warning,
        "The body has {size} bytes.",
        "Keep direct responses below 100 KiB, or serve them from a workload.",
        "A direct response is part of the configuration of every proxy.");

    public static DiagnosticMessage NoRules { get; } = new(
        "WEFT2018",
        Severity.Error,
        "The object has no rules.",
        "Add http rules.",
        "A VirtualService needs at least one of http, tls, tcp.");

    public static DiagnosticMessage UnreachableRule { get; } = new(
        "WEFT2019",
        Severity.Warning,
        "The rule {rule} is never reached: {earlier} takes every request.",
        "Put the rule without a match last.",
        "Rules are tried in their order and the first that matches decides.",
        "IST0130");

    public static DiagnosticMessage DuplicateMatch { get; } = new(
        "WEFT2020",
        Severity.Warning,
        "The match {match} is never reached: {earlier} has the same conditions.",
        "Remove it, or change its conditions.",
        "Rules are tried in their order and the first that matches decides.",
        "IST0131");

    public static DiagnosticMessage BadExportTo { get; } = new(
        "WEFT2021",
        Severity.Error,
        "'{value}' cannot stand in exportTo: {rule}.",
        "Write '*' alone, '.', or names of namespaces.",
        "'.' is the object's own namespace, '*' every namespace.");

    public static DiagnosticMessage IgnoredHeaderMatch { get; } = new(
        "WEFT2022",
        Severity.Warning,
        "A condition on the header '{name}' is ignored; the field '{name}' of the match is meant for it.",
        "Move it to '{name}' beside headers.",
        "uri, scheme, method and authority are not headers of HTTP/1.1.");

    public static DiagnosticMessage EmptyPolicy { get; } = new(
        "WEFT2023",
        Severity.Error,
        "'{field}' says nothing.",
        "Give it a field, or remove it.",
        "An empty policy is most often a field whose indentation is wrong.");

    public static DiagnosticMessage DuplicateSubset { get; } = new(
        "WEFT2024",
        Severity.Error,
        "The subset '{name}' is defined twice.",
        "Rename or remove one of them.",
        "Routes refer to subsets by name.");

    public static DiagnosticMessage BadSubsetName { get; } = new(
        "WEFT2025",
        Severity.Error,
        "'{name}' is not a valid name of a subset: {rule}.",
        "Rename it.",
        "Names of subsets are DNS labels, as they become part of the name of a cluster.");

    public static DiagnosticMessage DuplicatePort { get; } = new(
        "WEFT2026",
        Severity.Error,
        "The port {port} is given twice in '{field}'.",
        "Keep one of them.",
        "There can be one policy for a port.");

    public static DiagnosticMessage PortModesNeedSelector { get; } = new(
        "WEFT2027",
        Severity.Error,
        "portLevelMtls needs a selector.",
        "Select the workloads whose ports are meant, or use mtls for all ports.",
        "Ports are the workload's own (containerPort), not the service's; they mean nothing for a whole namespace.");

    public static DiagnosticMessage FieldNotWithMode { get; } = new(
        "WEFT2028",
        Severity.Error,
        "'{field}' has no meaning with mode {mode}.",
        "Remove it.",
        "ISTIO_MUTUAL uses the workload's own certificate and the mesh's roots; DISABLE uses none.");

    public static DiagnosticMessage MutualNeedsCertificate { get; } = new(
        "WEFT2029",
        Severity.Error,
        "Mode MUTUAL needs '{field}'.",
        "Name the file, or use ISTIO_MUTUAL for the workload's own certificate.",
        "MUTUAL presents a certificate from files to a server outside of the mesh.");

    public static DiagnosticMessage PrefixRewriteNeedsPrefix { get; } = new(
        "WEFT2030",
        Severity.Error,
        "prefixRewrite needs a prefix match of the uri in every match of {rule}.",
        "Match by prefix, or replace the whole path with uri.",
        "Without a matched prefix there is nothing that could be replaced.");

    public static DiagnosticMessage SelectorWildcard { get; } = new(
        "WEFT2031",
        Severity.Error,
        "'{value}' in '{field}' has a wildcard; selectors compare whole values.",
        "Name the value.",
        "A selector matches pods whose labels have exactly the values given.");

    public static DiagnosticMessage SubstitutionGroup { get; } = new(
        "WEFT2032",
        Severity.Error,
        "The substitution '{value}' refers to group {group}; the expression has {count}.",
        "Refer to groups of the expression, as in \\1.",
        "\\0 is the whole match; a literal backslash is written twice.");

    public static DiagnosticMessage LegacyGatewayName { get; } = new(
        "WEFT2033",
        Severity.Warning,
        "The gateway '{name}' is written as a domain name.",
        "Write namespace/name.",
        "The old form is read as the name before the first dot and the namespace after it.");

    public static DiagnosticMessage ProtectedHeader { get; } = new(
        "WEFT2034",
        Severity.Warning,
        "'{name}' is removed by the proxy and cannot be changed.",
        "Remove the operation.",
        "Pseudo-headers and the names that proxies use among themselves are not the operator's.");

    public static DiagnosticMessage HashKeyCount { get; } = new(
        "WEFT2035",
        Severity.Error,
        "'{field}' must have exactly one of httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName.",
        "Keep the one by which requests belong together.",
        "Requests that are alike in it go to the same endpoint.");

    public static DiagnosticMessage BadMaglevSize { get; } = new(
        "WEFT2036",
        Severity.Error,
        "'{field}' is {value}, which is no prime of at most {limit}.",
        "Write a prime, as 65537, several times larger than the number of endpoints.",
        "The table is filled in strides that must visit all of it; only a prime size makes that so.");

    public static DiagnosticMessage BadLocality { get; } = new(
        "WEFT2037",
        Severity.Error,
        "'{value}' in '{field}' is not a valid locality: {rule}.",
        "Write region, region/zone or region/zone/subzone, with '*' for any.",
        "Localities come from the labels topology.kubernetes.io/region and zone, and topology.istio.io/subzone.");

    public static DiagnosticMessage LocalityShares { get; } = new(
        "WEFT2038",
        Severity.Error,
        "The shares of '{field}' add up to {sum}.",
        "Make them add up to 100.",
        "Shares are percentages of the requests; a locality that is not listed gets none.");

    public static DiagnosticMessage DuplicateLocality { get; } = new(
        "WEFT2039",
        Severity.Error,
        "The locality '{value}' is given twice in '{field}'.",
        "Keep one of them.",
        "The first that fits the client decides.");

    public static DiagnosticMessage WarmupNeedsSimple { get; } = new(
        "WEFT2040",
        Severity.Error,
        "'{field}' needs the load balancer ROUND_ROBIN or LEAST_REQUEST.",
        "Use one of them, or remove it.",
        "Only these two can give an endpoint a share that grows.");

    public static DiagnosticMessage LocalOriginNeedsSplit { get; } = new(
        "WEFT2041",
        Severity.Error,
        "'{field}' has no effect unless splitExternalLocalOriginErrors is true.",
        "Set splitExternalLocalOriginErrors to true, or remove it.",
        "Without the split a failure to connect counts as a 5xx answer.");

    public static DiagnosticMessage NotInDelegate { get; } = new(
        "WEFT2042",
        Severity.Error,
        "'{field}' is not allowed in a VirtualService without hosts.",
        "Remove it, or give the object hosts of its own.",
        "One without hosts holds HTTP rules that others delegate to: hosts and gateways are theirs, and a delegate cannot delegate again.");

    public static DiagnosticMessage ServerNameOutsideHosts { get; } = new(
        "WEFT2043",
        Severity.Error,
        "The server name '{name}' is none of the object's hosts.",
        "Add it to hosts, or write a name that one of the hosts covers.",
        "A rule may only take connections to hosts that its object is for.");

    public static DiagnosticMessage BadNetwork { get; } = new(
        "WEFT2044",
        Severity.Error,
        "'{value}' is neither an IP address nor a network.",
        "Write an address such as 10.1.2.3 or a network such as 10.1.0.0/16.",
        "Both IPv4 and IPv6 are understood.");

    public static DiagnosticMessage DuplicatePortName { get; } = new(
        "WEFT2045",
        Severity.Error,
        "The port name '{name}' is given twice.",
        "Give each server's port a name of its own.",
        "Names of ports tell the servers of a Gateway apart.");

    public static DiagnosticMessage BadBind { get; } = new(
        "WEFT2046",
        Severity.Error,
        "'{value}' is no address to take connections at.",
        "Write an IP address, or remove the field to take them at all addresses.",
        "Both IPv4 and IPv6 are understood; sockets of the file system are not.");

    public static DiagnosticMessage ServerNeedsTls { get; } = new(
        "WEFT2047",
        Severity.Error,
        "The protocol of '{server}' is encrypted, and tls is missing.",
        "Add tls with a mode, or use the protocol HTTP or TCP.",
        "HTTPS and TLS need to know where the encryption ends.");

    public static DiagnosticMessage TlsOnPlainServer { get; } = new(
        "WEFT2048",
        Severity.Error,
        "'{field}' has no meaning: the server's protocol is not encrypted.",
        "Remove it, or use the protocol HTTPS or TLS.",
        "On a plain port only httpsRedirect takes effect.");

    public static DiagnosticMessage RedirectNeedsHttp { get; } = new(
        "WEFT2049",
        Severity.Error,
        "httpsRedirect needs the protocol HTTP.",
        "Remove it, or set it on the plain port.",
        "It answers plain requests with 301 and the same address in https.");

    public static DiagnosticMessage ServerNeedsCredential { get; } = new(
        "WEFT2050",
        Severity.Error,
        "'{tls}' has no credentialName.",
        "Name a Secret with tls.crt and tls.key in the namespace of the gateway's pods.",
        "SIMPLE, MUTUAL and OPTIONAL_MUTUAL end TLS at the gateway, which needs a certificate for it.");

    public static DiagnosticMessage PercentageWithoutMirror { get; } = new(
        "WEFT2061",
        Severity.Warning,
        "'{field}' has no effect without 'mirror'.",
        "Name who gets the copies in 'mirror', or remove it; an entry of 'mirrors' has a 'percentage' of its own.",
        "It says how many requests are copied.");

    public static DiagnosticMessage BadCookieAttribute { get; } = new(
        "WEFT2062",
        Severity.Error,
        "'{text}' cannot stand in a cookie's attribute.",
        "Leave out semicolons and line breaks; write each attribute as an entry of its own.",
        "Attributes are put behind the cookie that the proxy makes, separated by semicolons.");

    public static DiagnosticMessage EntryContradicts { get; } = new(
        "WEFT2063",
        Severity.Error,
        "'{field}' contradicts the rest of the object: {reason}.",
        "Change one of the two.",
        "Resolution NONE sends connections where the application wanted, STATIC to the endpoints that are listed or selected, DNS to the addresses of a name.");

    public static DiagnosticMessage BadEntryAddress { get; } = new(
        "WEFT2064",
        Severity.Error,
        "'{text}' of '{field}' is not valid: {reason}.",
        "Write an IP address; where DNS is asked a host name; for the addresses of an entry a network such as 10.0.0.0/8.",
        "Addresses of an entry are what applications connect to; those of its endpoints are where the connections go.");

    public static DiagnosticMessage UnixSocketEndpoint { get; } = new(
        "WEFT2065",
        Severity.Error,
        "'{text}' is a Unix socket, to which the proxy does not connect.",
        "Let the server listen on an IP address, the loopback's for one in the same pod.",
        "Proxies reach endpoints over TCP only.");

    public static DiagnosticMessage ResolutionNotSupported { get; } = new(
        "WEFT2066",
        Severity.Error,
        "Resolution {resolution} is not supported yet; the object has no effect.",
        "Use NONE for wildcard hosts, DNS for others.",
        "With NONE the application asks DNS, and the connection goes to the address that it found.");

    public static DiagnosticMessage FixedMeshField { get; } = new(
        "WEFT2067",
        Severity.Warning,
        "'{field}' is {value} in every mesh; what is written here is ignored.",
        "Remove it, or write {value}.",
        "Identities and captured ports are made with the mesh and do not change while it runs.");

    public static DiagnosticMessage BadCredentialName { get; } = new(
        "WEFT2080",
        Severity.Error,
        "'{name}' names no Secret: {problem}.",
        "Write the name of a Secret, or kubernetes:// and its name.",
        "The Secret lies in the namespace of the gateway's pods; others cannot be named.");

    public static DiagnosticMessage HalfACertificate { get; } = new(
        "WEFT2081",
        Severity.Error,
        "'{field}' is missing: a certificate and its key belong together.",
        "Name both files, or a Secret with credentialName.",
        "The files are looked for by the proxy, in the gateway's own file system.");

    public static DiagnosticMessage TooManyCertificates { get; } = new(
        "WEFT2082",
        Severity.Error,
        "'{field}' has more than two certificates.",
        "Keep one with an RSA key and one with an ECDSA key.",
        "A server shows one of them, as the client understands it; other names are other servers.");

    public static DiagnosticMessage MutualNeedsRoots { get; } = new(
        "WEFT2083",
        Severity.Error,
        "'{tls}' says nothing about whose clients are accepted.",
        "Name a Secret with credentialName or caCertCredentialName, or a file with caCertificates.",
        "MUTUAL and OPTIONAL_MUTUAL accept clients whose certificate comes from known roots.");

    public static DiagnosticMessage NoTlsVersionLeft { get; } = new(
        "WEFT2084",
        Severity.Error,
        "The newest version of TLS is older than the oldest.",
        "Raise maxProtocolVersion, or lower minProtocolVersion; without one it is TLSV1_2.",
        "No client could connect.");

    public static DiagnosticMessage UnknownCipher { get; } = new(
        "WEFT2085",
        Severity.Warning,
        "'{name}' is no cipher suite that a gateway can agree to; it is left out.",
        "Write OpenSSL's name of it; those of TLS 1.3 cannot be chosen and are always on.",
        "docs/reference/dialects/istio.md lists them.");

    public static DiagnosticMessage CipherTwice { get; } = new(
        "WEFT2086",
        Severity.Warning,
        "The cipher suite '{name}' is given twice.",
        "Remove one of them.",
        "The order says which is preferred.");

    public static DiagnosticMessage BadPin { get; } = new(
        "WEFT2087",
        Severity.Error,
        "'{text}' is no SHA-256 in {form}.",
        "Write all of its 32 bytes.",
        "For a key, 'openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64' prints it; for a certificate, 'openssl x509 -fingerprint -sha256'.");

    public static DiagnosticMessage PatchAddIgnored { get; } = new(
        "WEFT2101",
        Severity.Warning,
        "ADD has no meaning for {target}; the patch has no effect.",
        "Use MERGE, or add what belongs into it.",
        "A route table is made from routes and services; another of its name would never be asked for.",
        "IST0153");

    public static DiagnosticMessage PatchRemoveIgnored { get; } = new(
        "WEFT2102",
        Severity.Warning,
        "REMOVE has no meaning for {target}; the patch has no effect.",
        "Change the VirtualService that makes it.",
        "Routes are taken away where they are written.",
        "IST0154");

    public static DiagnosticMessage PatchReplaceIgnored { get; } = new(
        "WEFT2103",
        Severity.Warning,
        "REPLACE has no meaning for {target}; the patch has no effect.",
        "Use MERGE.",
        "Only filters and virtual hosts can be replaced as a whole.",
        "IST0152");

    public static DiagnosticMessage PatchWithoutPriority { get; } = new(
        "WEFT2104",
        Severity.Warning,
        "The patch depends on the order of other patches, and the object has no priority.",
        "Give it a priority other than 0, or use INSERT_FIRST.",
        "Objects with one priority are applied in the order of their age.",
        "IST0151");

    public static DiagnosticMessage PatchTargetNotSupported { get; } = new(
        "WEFT2105",
        Severity.Warning,
        "Patches of {target} are not supported; this one has no effect.",
        "Remove it.",
        "The proxy is no Envoy: it has no bootstrap and no extensions that could be configured.");

    public static DiagnosticMessage EnvoyFilterVersion { get; } = new(
        "WEFT2106",
        Severity.Warning,
        "Istio's API servers know EnvoyFilter as v1alpha3 only.",
        "Write networking.istio.io/v1alpha3.",
        "It is read here all the same.");

    public static DiagnosticMessage PatchConditionNotSupported { get; } = new(
        "WEFT2107",
        Severity.Warning,
        "The condition '{field}' cannot be kept: {reason}. What it is written for has no effect.",
        "Say what is meant with other conditions.",
        "A patch without one of its conditions would hold more widely than was asked, so it is left out as a whole.");

    public static DiagnosticMessage WasmNotSupported { get; } = new(
        "WEFT2108",
        Severity.Warning,
        "The plugin '{url}' is not run: the proxy has no WebAssembly machine. The object has no effect.",
        "Use an object of the mesh, or a filter that docs/reference/envoyfilter.md lists, that does the same.",
        "Requests pass as if the plugin were not there, whatever its failStrategy says.");

    public static DiagnosticMessage BadPolicyValue { get; } = new(
        "WEFT2120",
        Severity.Error,
        "'{value}' of '{field}' is not valid: {reason}.",
        "Correct it; '*' alone is presence, '*x' an end, 'x*' a beginning.",
        "A policy with a value that cannot be compared could let pass what it was written to refuse, so the whole object is refused.");

    public static DiagnosticMessage UnknownCondition { get; } = new(
        "WEFT2121",
        Severity.Error,
        "There is no condition '{key}'.",
        "Use one of {keys}.",
        "A condition that nobody understands could neither allow nor refuse anything, so the whole object is refused.");

    public static DiagnosticMessage ConditionWithoutValues { get; } = new(
        "WEFT2122",
        Severity.Error,
        "The condition '{key}' has neither values nor notValues.",
        "Say what it compares with; '*' is presence.",
        "A condition without anything to compare with holds for nothing or for everything.");

    public static DiagnosticMessage PolicyWithoutRules { get; } = new(
        "WEFT2123",
        Severity.Warning,
        "A policy with action {action} and without rules has no effect.",
        "Give it rules; an empty rule holds for everything.",
        "Only an ALLOW policy means something without rules: it lets nobody pass.");

    public static DiagnosticMessage DryRunAction { get; } = new(
        "WEFT2124",
        Severity.Error,
        "Only policies with action ALLOW or DENY can be run dry.",
        "Remove the annotation istio.io/dry-run.",
        "AUDIT refuses nothing anyway, and for CUSTOM somebody else would have to be asked.");

    public static DiagnosticMessage NobodyIsAsked { get; } = new(
        "WEFT2125",
        Severity.Warning,
        "Nobody is asked yet: what the rules hold for is refused, whatever the provider '{provider}' would say.",
        "Use ALLOW and DENY policies.",
        "Providers of external authorization are not asked yet, and without their answer nothing that they are to decide may pass.");

    public static DiagnosticMessage ConditionNotDecided { get; } = new(
        "WEFT2126",
        Severity.Warning,
        "Nothing here can decide '{key}': an ALLOW rule with it never holds, a DENY rule holds as if it had not been written.",
        "Use another condition.",
        "Filters of Envoy that would set such metadata do not run here; both ways nobody passes who should not.");

    public static DiagnosticMessage NotWithCustom { get; } = new(
        "WEFT2127",
        Severity.Error,
        "'{field}' cannot be used with action CUSTOM.",
        "Use addresses, hosts, methods, paths, ports or headers, or another action.",
        "External authorization is asked before identities and tokens have been judged.");

    public static DiagnosticMessage TargetsNotSupported { get; } = new(
        "WEFT2128",
        Severity.Error,
        "'{field}' names objects of the Gateway API, to which policies cannot be attached yet.",
        "Select the workloads by a selector.",
        "A policy that is taken without knowing what it is for would hold for nothing or for too much, so it is refused.");

    public static DiagnosticMessage ProviderIsForCustom { get; } = new(
        "WEFT2129",
        Severity.Error,
        "A provider belongs to action CUSTOM, which cannot be without one.",
        "Give both or none.",
        "The provider is who is asked, by its name in the mesh's extensionProviders.");

    public static EquatableArray<DiagnosticMessage> All { get; } =
    [
        MissingAction,
        FieldNotWithAction,
        BadHost,
        DuplicateHost,
        WildcardHostInMesh,
        BadRegex,
        RegexTooLong,
        MatchKindCount,
        BadHeaderName,
        BadHeaderValue,
        ZeroWeights,
        FaultWithoutEffect,
        RetriesOffWithFields,
        UnknownRetryCondition,
        BadPercentage,
        BodyTooLarge,
        BodyLarge,
        NoRules,
        UnreachableRule,
        DuplicateMatch,
        BadExportTo,
        IgnoredHeaderMatch,
        EmptyPolicy,
        DuplicateSubset,
        BadSubsetName,
        DuplicatePort,
        PortModesNeedSelector,
        FieldNotWithMode,
        MutualNeedsCertificate,
        PrefixRewriteNeedsPrefix,
        SelectorWildcard,
        SubstitutionGroup,
        LegacyGatewayName,
        ProtectedHeader,
        HashKeyCount,
        BadMaglevSize,
        BadLocality,
        LocalityShares,
        DuplicateLocality,
        WarmupNeedsSimple,
        LocalOriginNeedsSplit,
        NotInDelegate,
        ServerNameOutsideHosts,
        BadNetwork,
        DuplicatePortName,
        BadBind,
        ServerNeedsTls,
        TlsOnPlainServer,
        RedirectNeedsHttp,
        ServerNeedsCredential,
        PercentageWithoutMirror,
        BadCookieAttribute,
        EntryContradicts,
        BadEntryAddress,
        UnixSocketEndpoint,
        ResolutionNotSupported,
        FixedMeshField,
        BadCredentialName,
        HalfACertificate,
        TooManyCertificates,
        MutualNeedsRoots,
        NoTlsVersionLeft,
        UnknownCipher,
        CipherTwice,
        BadPin,
        PatchAddIgnored,
        PatchRemoveIgnored,
        PatchReplaceIgnored,
        PatchWithoutPriority,
        PatchTargetNotSupported,
        EnvoyFilterVersion,
        PatchConditionNotSupported,
        WasmNotSupported,
        BadPolicyValue,
        UnknownCondition,
        ConditionWithoutValues,
        PolicyWithoutRules,
        DryRunAction,
        NobodyIsAsked,
        ConditionNotDecided,
        NotWithCustom,
        TargetsNotSupported,
        ProviderIsForCustom,
    ];
}
