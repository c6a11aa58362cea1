/// The body of a kernel's method while it is written: its names, its blocks and loops.
module internal DiffEqLang.Compiler.Backends.Simd.MethodBody

open System.Collections.Generic
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp
open DiffEqLang.Compiler.Backends.Simd.Index
open DiffEqLang.Compiler.Backends.Simd.Statements
open DiffEqLang.Compiler.Backends.Simd.Unrolling

/// `taken` are names with a meaning of their own; `copies` is how often the method is inlined into another, 1 where it is not.
type MethodBody(taken: string seq, copies: int) =
    let unique = Naming.Unique taken
    let head = ResizeArray<Statement>()
    let whole = ResizeArray<Statement>()
    let mutable block = whole
    let mutable depth = 0
    let loopVariables = ResizeArray<string>()
    let targets = Dictionary<string * int, string>()

    let emit s = block.Add s

    let fresh (wanted: string) = Names.escaped (unique.Fresh(Names.identifier wanted))

    let loopVariable () =
        if depth = loopVariables.Count then
            loopVariables.Add(fresh ("ijklmnopq".Substring(min depth 8, 1)))

        loopVariables[depth]

    let loop count (body: Index -> unit) =
        let variableName = loopVariable ()
        let outer = block
        block <- ResizeArray()
        depth <- depth + 1
        body (variable variableName)
        depth <- depth - 1
        let inner = List.ofSeq block
        block <- outer
        emit (Loop(variableName, count, inner))

    /// Visits all indices of a shape: loops over the long axes outside, the others written out inside.
    let visit (sizes: int list) (body: Index list -> unit) =
        let long = sizes |> List.indexed |> List.filter (snd >> isLong)

        let rec known (chosen: Map<int, Index>) axis =
            if axis = sizes.Length then
                body [ for i in 0 .. axis - 1 -> chosen[i] ]
            elif chosen.ContainsKey axis then
                known chosen (axis + 1)
            else
                for n in 0 .. sizes[axis] - 1 do
                    known (chosen.Add(axis, Index.known n)) (axis + 1)

        let rec loops chosen rest =
            match rest with
            | [] -> known chosen 0
            | (axis, count) :: rest -> loop count (fun index -> loops (Map.add axis index chosen) rest)

        loops Map.empty long

    /// A name that nothing in the method has: as wanted, else numbered.
    member _.Fresh(wanted: string) = fresh wanted

    /// The name of one element's variable: `hidden0`, `W1_0`.
    member _.ElementName(name: string, position: int) =
        let stem = Names.identifier (name.TrimStart '@')
        let separator = if System.Char.IsDigit stem[stem.Length - 1] then "_" else ""
        fresh (sprintf "%s%s%d" stem separator position)

    member _.Emit(s: Statement) = emit s

    /// Visits all indices of a shape: loops over the long axes outside, the others written out inside.
    member _.Visit(sizes: int list, body: Index list -> unit) = visit sizes body

    /// A variable at the head of the method.
    member _.Field(name: string, value: CSharp.Expr) = head.Add(Declare(name, value, None))

    /// A part of an array under a name: its length is known there, so that places in it need no check at run time.
    member _.Slice(name: string, array: string, offset: int, length: int) =
        let range =
            Literal(sprintf "%s..%d" (if offset = 0 then "" else string offset) (offset + length))

        head.Add(Declare(name, Element(Name array, [ range ]), None))

    /// A part of an array that loops write to; asked for twice, it is the same.
    member this.Target(name: string, array: string, offset: int, length: int) =
        match targets.TryGetValue((array, offset)) with
        | true, own -> own
        | _ ->
            let own = fresh name
            this.Slice(own, array, offset, length)
            targets[(array, offset)] <- own
            own

    /// What has been written, with its loops joined; at its head what the method takes from its arguments.
    member _.Statements =
        let body =
            List.ofSeq whole
            |> LoopFusion.fuse
            |> ArrayContraction.contractArrays
            |> ArrayContraction.nameStored fresh
            |> PartialSums.splitSums
            |> Inlining.bounded copies

        (List.ofSeq head @ body) |> List.map toCSharp
