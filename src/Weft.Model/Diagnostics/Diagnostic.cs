// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Diagnostics;

/// <summary>
/// One finding about what an operator wrote: where, how bad, which numbered message of api/diagnostics.yaml, the fact and the cure.
/// </summary>
public sealed record Diagnostic(string Id, Severity Severity, Origin Origin, string Fact, string? Cure = null)
{
    /// <summary>The form that the command line prints: <c>file:line:column  severity ID  fact</c>, cure on the next line.</summary>
    public override string ToString()
    {
        var severity = Severity switch { Severity.Error => "error", Severity.Warning => "warning", _ => "info" };
        var head = $"{Origin.Where}  {severity} {Id}  {Fact}";
        return Cure is null ? head : $"{head}\n    {Cure}";
    }
}

/// <summary>How bad a finding is: an error keeps the object from taking effect, a warning does not.</summary>
public enum Severity
{
    Error,
    Warning,
    Info,
}
