// SPDX-License-Identifier: Apache-2.0

// Generated from api/diagnostics.yaml; see there.
namespace Weft.Model.Diagnostics;

/// <summary>Messages WEFT4000 to WEFT4999: the control plane.</summary>
public static class ControlMessages
{
    public static DiagnosticMessage PatchMatchesNothing { get; } = new(
        "WEFT4001",
        Severity.Warning,
        "The patch matches nothing in the proxies that it is for.",
        "Compare its conditions with what weft proxy-config shows.",
        "A patch that matches nothing changes nothing; names of listeners, filters and route tables must be exact.");

    public static DiagnosticMessage PatchNotRunnable { get; } = new(
        "WEFT4002",
        Severity.Warning,
        "The patch is left out: {reason}.",
        "Remove it, or use an object of the mesh that does the same.",
        "The proxy runs filters of its own. What it cannot run is not sent to it, because it would refuse all of its configuration.");

    public static DiagnosticMessage PatchPartIgnored { get; } = new(
        "WEFT4003",
        Severity.Warning,
        "A part of the patch has no effect: {reason}.",
        "Remove that part.",
        "The rest of it is in force.");

    public static EquatableArray<DiagnosticMessage> All { get; } =
    [
        PatchMatchesNothing,
        PatchNotRunnable,
        PatchPartIgnored,
    ];
}
