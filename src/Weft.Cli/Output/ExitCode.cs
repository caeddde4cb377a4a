// SPDX-License-Identifier: Apache-2.0

namespace Weft.Cli.Output;

/// <summary>How the program ends; docs/reference/cli.md is the contract.</summary>
internal static class ExitCode
{
    public const int Fine = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int FoundProblems = 3;
    public const int NoMesh = 4;
    public const int TimedOut = 5;
    public const int Interrupted = 130;

    /// <summary>As <c>istioctl analyze</c> has it: a text that is no object.</summary>
    public const int UnreadableInput = 65;

    /// <summary>As <c>istioctl analyze</c> has it: a finding at or above the threshold.</summary>
    public const int AnalyzersFound = 79;
}

/// <summary>A verb cannot do what it was asked; says the fact and the cure and gives the exit code.</summary>
internal sealed class CommandException(int exitCode, string fact, string? cure = null) : Exception(fact)
{
    public int ExitCode { get; } = exitCode;

    public string? Cure { get; } = cure;
}
