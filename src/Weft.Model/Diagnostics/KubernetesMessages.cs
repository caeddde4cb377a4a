// SPDX-License-Identifier: Apache-2.0

// Generated from api/diagnostics.yaml; see there.
namespace Weft.Model.Diagnostics;

/// <summary>Messages WEFT1000 to WEFT1999: Kubernetes objects.</summary>
public static class KubernetesMessages
{
    public static DiagnosticMessage BadName { get; } = new(
        "WEFT1001",
        Severity.Error,
        "'{name}' is not a valid name for {what}: {rule}.",
        "Rename it.",
        "RFC 1123: lower-case letters, digits and '-', beginning and ending with a letter or digit.");

    public static DiagnosticMessage BadLabelKey { get; } = new(
        "WEFT1002",
        Severity.Error,
        "'{key}' is not a valid key of a label or annotation: {rule}.",
        "Write a name, or a domain and a name as in example.com/name.",
        "Names have at most 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit.");

    public static DiagnosticMessage BadLabelValue { get; } = new(
        "WEFT1003",
        Severity.Error,
        "'{value}' is not a valid value of the label '{key}': {rule}.",
        "Use an annotation for free text.",
        "Values are empty or have at most 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit.");

    public static DiagnosticMessage BadTimestamp { get; } = new(
        "WEFT1004",
        Severity.Error,
        "'{value}' is not a time.",
        "Write it as RFC 3339 says, e.g. 2026-01-31T12:00:00Z.",
        "Objects in files need no creationTimestamp; the API server sets it.");

    public static DiagnosticMessage UnknownKubernetesField { get; } = new(
        "WEFT1005",
        Severity.Warning,
        "The field '{field}' is not known in {place}.",
        "Remove it, or correct its name.",
        "Weft knows the fields of Kubernetes 1.32. Kubernetes drops fields that it does not know, or refuses them when asked to be strict.");

    public static DiagnosticMessage SelectorMismatch { get; } = new(
        "WEFT1006",
        Severity.Error,
        "The selector asks for {key}={value}, which the labels of the template do not have.",
        "Give the template the labels that the selector asks for.",
        "A controller would otherwise make pods for ever, none of which it recognises as its own.");

    public static DiagnosticMessage BadSelectorOperator { get; } = new(
        "WEFT1007",
        Severity.Error,
        "The operator {operator} {rule}.",
        "In and NotIn need values, Exists and DoesNotExist must have none.",
        "See label selectors in the documentation of Kubernetes.");

    public static DiagnosticMessage BadPortName { get; } = new(
        "WEFT1008",
        Severity.Error,
        "'{name}' is not a valid name of a port: {rule}.",
        "Use at most 15 lower-case letters, digits and '-', with at least one letter.",
        "RFC 6335 §5.1; a service's port may have up to 63 characters.");

    public static DiagnosticMessage DuplicatePortName { get; } = new(
        "WEFT1009",
        Severity.Error,
        "The port name '{name}' is given twice.",
        "Rename one of them.",
        "Ports are referred to by name.");

    public static DiagnosticMessage MissingPortName { get; } = new(
        "WEFT1010",
        Severity.Error,
        "{place} has no name, and the service has several ports.",
        "Name every port, with the protocol first as in http-api.",
        "With several ports endpoints are told apart by the names of the ports.");

    public static DiagnosticMessage DuplicateServicePort { get; } = new(
        "WEFT1011",
        Severity.Error,
        "The port {port} is given twice for {protocol}.",
        "Keep one of them.",
        "A service has one meaning for each port and protocol.");

    public static DiagnosticMessage BadAddress { get; } = new(
        "WEFT1012",
        Severity.Error,
        "'{value}' of '{field}' is not an IP address.",
        "Write an IPv4 or IPv6 address.",
        "Names are not allowed here.");

    public static DiagnosticMessage DuplicateContainer { get; } = new(
        "WEFT1013",
        Severity.Error,
        "The container '{name}' is given twice.",
        "Rename one of them.",
        "Names of containers are unique in a pod, those of init containers included.");

    public static DiagnosticMessage BadConfigKey { get; } = new(
        "WEFT1014",
        Severity.Error,
        "'{key}' is not a valid key of '{field}'.",
        "Use letters, digits, '-', '_' and '.'.",
        "Keys become file names when they are mounted.");

    public static DiagnosticMessage NotBase64 { get; } = new(
        "WEFT1015",
        Severity.Error,
        "The value of '{field}' is not base64.",
        "Encode it, or use stringData (Secret) or data (ConfigMap) for plain text.",
        "Values of data in a Secret and of binaryData in a ConfigMap are base64.");

    public static DiagnosticMessage ExternalNameService { get; } = new(
        "WEFT1016",
        Severity.Warning,
        "A service of type ExternalName is not part of the mesh.",
        "Its name is still answered by DNS where Kubernetes does so.",
        "It has no endpoints that could be routed to or balanced.");

    public static DiagnosticMessage DatagramPort { get; } = new(
        "WEFT1017",
        Severity.Info,
        "Port {port} is {protocol}; the mesh carries TCP only.",
        null,
        "Datagrams pass by the proxies untouched.");

    public static DiagnosticMessage UnknownTargetPort { get; } = new(
        "WEFT1018",
        Severity.Error,
        "The probe or hook refers to the port '{name}', which the container does not have.",
        "Give the container a port of that name, or write the number.",
        "Named ports are looked up among the container's own ports.");

    public static DiagnosticMessage BadAnnotation { get; } = new(
        "WEFT1019",
        Severity.Warning,
        "The value '{value}' of the annotation '{key}' is not valid: {reason}.",
        "Correct it; until then the annotation has no effect. docs/reference/dialects lists what it can be.",
        "Annotations are free text to the API server, so that the rest of the object takes effect.");

    public static DiagnosticMessage AnnotationNotSupported { get; } = new(
        "WEFT1020",
        Severity.Warning,
        "The annotation '{key}' is not supported yet and is ignored.",
        "The rest of the object takes effect. docs/reference/dialects lists what is supported.",
        "The annotation is known upstream. It is reported, so that nobody relies on it.");

    public static DiagnosticMessage BadMeshConfig { get; } = new(
        "WEFT1021",
        Severity.Error,
        "The mesh's configuration in '{path}' is no object in YAML: {reason}",
        "Correct it; defaultConfig in it holds for the proxies of new pods.",
        "The ConfigMap istio of the root namespace holds it under the key mesh, as in Istio.");

    public static DiagnosticMessage NamespaceNotInjected { get; } = new(
        "WEFT1101",
        Severity.Info,
        "Pods of namespace '{namespace}' get no proxy: nothing asks for one.",
        "Label it: kubectl label namespace {namespace} istio-injection=enabled, or =disabled to say that this is meant.",
        "Pods that are there already get their proxy when they are replaced.",
        "IST0102");

    public static DiagnosticMessage PodWithoutProxy { get; } = new(
        "WEFT1102",
        Severity.Warning,
        "The pod has no proxy, although {reason}.",
        "Replace the pod, for example with kubectl rollout restart.",
        "Proxies are added when a pod is made; a label that came later changes nothing for it.",
        "IST0103");

    public static DiagnosticMessage SeveralInjectionLabels { get; } = new(
        "WEFT1103",
        Severity.Warning,
        "The namespace has several labels about proxies: {labels}.",
        "Keep one of them.",
        "istio-injection is looked at first, then istio.io/rev.",
        "IST0123");

    public static DiagnosticMessage PortWithoutProtocol { get; } = new(
        "WEFT1104",
        Severity.Info,
        "The name '{name}' of port {port} tells no protocol.",
        "Call it http, grpc, tcp, ... or such a word and '-' and more, or set appProtocol.",
        "Without a protocol the first bytes of each connection are looked at, which does not work where the server speaks first.",
        "IST0118");

    public static DiagnosticMessage ExternalNamePort { get; } = new(
        "WEFT1105",
        Severity.Warning,
        "The port '{name}' of a service of type ExternalName is not declared as HTTP or TLS.",
        "Name it by the protocol that is spoken, for example https.",
        "A port that is taken as TCP is served for every destination of this port number.",
        "IST0150");

    public static DiagnosticMessage ReservedUser { get; } = new(
        "WEFT1106",
        Severity.Warning,
        "User {uid} is the proxy's own: what it sends passes the capture.",
        "Run the application as another user.",
        "Traffic of this user is not captured, so that the proxy does not capture itself.",
        "IST0144");

    public static DiagnosticMessage PortWithTwoProtocols { get; } = new(
        "WEFT1107",
        Severity.Warning,
        "Port {port} of these pods is {protocols} by the services {services}.",
        "Let all services call the port by one protocol.",
        "One port of a pod has one set of chains; the first service by name decides how it is read.",
        "IST0116");

    public static DiagnosticMessage TargetPortWithTwoPorts { get; } = new(
        "WEFT1108",
        Severity.Warning,
        "The services {services} lead from the ports {ports} to the same port {target} of these pods.",
        "Use one port number, or one target port each.",
        "Which service a connection was meant for cannot be told at the pod's port.",
        "IST0137");

    public static DiagnosticMessage ImageAutoWithoutInjection { get; } = new(
        "WEFT1109",
        Severity.Warning,
        "Container '{container}' has the image 'auto', and its pods get no proxy.",
        "Label the namespace or the template so that the image is filled in.",
        "The image 'auto' stands for the proxy's own and is filled in when a pod gets its proxy.",
        "IST0146");

    public static DiagnosticMessage PodImageAuto { get; } = new(
        "WEFT1110",
        Severity.Error,
        "Container '{container}' of the pod still has the image 'auto'.",
        "Label the namespace, then replace the pod.",
        "The image 'auto' stands for the proxy's own and is filled in when a pod gets its proxy.",
        "IST0147");

    public static DiagnosticMessage MisplacedAnnotation { get; } = new(
        "WEFT1111",
        Severity.Warning,
        "The annotation '{key}' means nothing on a {kind}; it belongs on {kinds}.",
        "Move it.",
        "For workloads it belongs on the template's metadata, not on the Deployment's own.",
        "IST0107");

    public static DiagnosticMessage UnknownAnnotation { get; } = new(
        "WEFT1112",
        Severity.Warning,
        "There is no annotation '{key}'.",
        "Check its spelling, or remove it.",
        "Unknown annotations have no effect.",
        "IST0108");

    public static DiagnosticMessage DeprecatedAnnotation { get; } = new(
        "WEFT1113",
        Severity.Info,
        "The annotation '{key}' is deprecated.",
        "Use {other}.",
        "It still has its effect.",
        "IST0135");

    public static DiagnosticMessage BadIstioAnnotation { get; } = new(
        "WEFT1114",
        Severity.Warning,
        "'{value}' is not valid for the annotation '{key}': {rule}.",
        null,
        "An annotation with a value that cannot be read has no effect.",
        "IST0125");

    public static DiagnosticMessage ServiceSelectsNothing { get; } = new(
        "WEFT1115",
        Severity.Warning,
        "No pod has the labels that the service selects.",
        "Compare them with those of the pods.",
        "Requests to the service are answered 503 with flag UH until there is one.");

    public static EquatableArray<DiagnosticMessage> All { get; } =
    [
        BadName,
        BadLabelKey,
        BadLabelValue,
        BadTimestamp,
        UnknownKubernetesField,
        SelectorMismatch,
        BadSelectorOperator,
        BadPortName,
        DuplicatePortName,
        MissingPortName,
        DuplicateServicePort,
        BadAddress,
        DuplicateContainer,
        BadConfigKey,
        NotBase64,
        ExternalNameService,
        DatagramPort,
        UnknownTargetPort,
        BadAnnotation,
        AnnotationNotSupported,
        BadMeshConfig,
        NamespaceNotInjected,
        PodWithoutProxy,
        SeveralInjectionLabels,
        PortWithoutProtocol,
        ExternalNamePort,
        ReservedUser,
        PortWithTwoProtocols,
        TargetPortWithTwoPorts,
        ImageAutoWithoutInjection,
        PodImageAuto,
        MisplacedAnnotation,
        UnknownAnnotation,
        DeprecatedAnnotation,
        BadIstioAnnotation,
        ServiceSelectsNothing,
    ];
}
