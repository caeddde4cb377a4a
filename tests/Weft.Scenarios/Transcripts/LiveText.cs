// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using Weft.Testing;

namespace Weft.Scenarios.Transcripts;

/// <summary>The lines of an answer about pods that run, without what a second run on the same cluster would print otherwise.</summary>
internal static partial class LiveText
{
    /// <summary>A set of lines: pods are listed by names that chance makes, events in the order of their moments.</summary>
    public static IReadOnlySet<string> Lines(string text, string url)
    {
        text = TranscriptText.Normal(PodAddress().Replace(text, "PODIP"), url);
        text = PodName().Replace(text, match => $"{match.Groups[1].Value}-HASH{(match.Groups[2].Success ? "-XXXXX" : "")}");
        text = Hash().Replace(text, "$1HASH");
        text = JobPod().Replace(text, "$1XXXXX");
        text = Restarts().Replace(text, "N (AGO)");
        text = Crashed().Replace(text, "CRASHED");
        text = Unpulled().Replace(text, "NOIMAGE");
        text = Repeated().Replace(text, "AGE");
        var lines = text.Split('\n').Select(line => line.Trim()).Where(line => !line.Contains(" Terminating ", StringComparison.Ordinal));
        return lines.Select(line => Event().Replace(line, "$1 $2 $3")).ToHashSet(StringComparer.Ordinal);
    }

    [GeneratedRegex("10\\.244\\.\\d+\\.\\d+|10\\.250\\.0\\.2")]
    private static partial Regex PodAddress();

    [GeneratedRegex("\\b(web|d2)-[bcdfghjklmnpqrstvwxz2456789]{7,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?\\b")]
    private static partial Regex PodName();

    [GeneratedRegex("(pod-template-hash[\"=: ]+)[a-z0-9]{6,10}")]
    private static partial Regex Hash();

    [GeneratedRegex("\\b(j\\d-)[bcdfghjklmnpqrstvwxz2456789]{5}\\b")]
    private static partial Regex JobPod();

    [GeneratedRegex("\\d+ \\(\\w+ ago\\)")]
    private static partial Regex Restarts();

    [GeneratedRegex("\\b(CrashLoopBackOff|Error)(?= +(N|\\d))")]
    private static partial Regex Crashed();

    [GeneratedRegex("ErrImagePull|ImagePullBackOff")]
    private static partial Regex Unpulled();

    [GeneratedRegex("AGE \\(x\\d+ over \\w+\\)")]
    private static partial Regex Repeated();

    /// <summary>Of an event: type, reason, and what it is about. How often and with which numbers depends on how fast the pods were.</summary>
    [GeneratedRegex("^(?:AGE )?(Normal|Warning) (\\S+) (?:AGE )?(\\S+) .*$")]
    private static partial Regex Event();
}
