// SPDX-License-Identifier: Apache-2.0

// Generated from api/diagnostics.yaml; see there.
namespace Weft.Model.Diagnostics;

/// <summary>Every numbered message, in the order of the numbers.</summary>
public static class DiagnosticCatalog
{
    public static EquatableArray<DiagnosticMessage> All { get; } =
    [
        .. ReadingMessages.All,
        .. KubernetesMessages.All,
        .. IstioMessages.All,
        .. CompilerMessages.All,
        .. ControlMessages.All,
    ];
}
