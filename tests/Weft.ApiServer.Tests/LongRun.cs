// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Xunit.Abstractions;

namespace Weft.ApiServer.Tests;

/// <summary>Tests that run for seconds among the others, and for as long as a variable says when somebody wants to know.</summary>
internal static class LongRun
{
    /// <summary>The file that figures are added to while the run lasts, so that one that is ended early has told something.</summary>
    private const string FileVariable = "WEFT_LONG_LOG";

    public static int Length(string variable, int among)
    {
        var text = Environment.GetEnvironmentVariable(variable);
        return string.IsNullOrEmpty(text) ? among : int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    public static void Say(ITestOutputHelper output, string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } file)
        {
            File.AppendAllText(file, $"{TimeProvider.System.GetUtcNow():HH:mm:ss} {line}\n");
        }
    }
}
