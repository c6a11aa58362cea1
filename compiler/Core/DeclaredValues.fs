/// The values that an expression of a model is evaluated with: what a caller set, and what the model declares.
module internal DiffEqLang.Compiler.DeclaredValues

open System
open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr

/// Values of the reference interpreter, from what a caller set and what the model declares.
type DeclaredValues(model: Typed.Model, settings: IReadOnlyDictionary<string, struct (int64[] * float[])>) =
    let random = Random 0

    let uniform low high = low + (high - low) * random.NextDouble()

    let gaussian () =
        // Box and Muller (1958).
        sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

    let dims =
        model.Dims
        |> List.choose (fun d ->
            match d.Value, settings.TryGetValue d.Name with
            | Some n, _ -> Some(d.Name, n)
            | None, (true, struct (_, [| n |])) -> Some(d.Name, int64 n)
            | None, _ -> None)
        |> Map.ofList

    let shapeOf (s: Symbol) = s.Shape |> List.map (fun d -> int (Dim.evaluate dims d)) |> List.toArray

    let given (s: Symbol) =
        match settings.TryGetValue s.Name with
        | true, struct (shape, values) when shape.Length = 0 && values.Length = 1 ->
            Some(Tensor.filled (shapeOf s) values[0])
        | true, struct (shape, values) when Array.map int shape = shapeOf s ->
            Some(Tensor.ofArray (shapeOf s) values)
        | true, struct (shape, _) ->
            invalidArg
                s.Name
                (sprintf
                    "%s is %s, the value given has the shape [%s]"
                    s.Name
                    (Shape.print s.Shape)
                    (shape |> Array.map string |> String.concat ", "))
        | _ -> None

    let drawn (s: Symbol) (sample: unit -> float) =
        let shape = shapeOf s
        Tensor.ofArray shape (Array.init (Tensor.sizeOf shape) (fun _ -> sample ()))

    /// Fans as torch counts them: of a matrix [out, in].
    let fans (s: Symbol) =
        match Array.toList (shapeOf s) with
        | out :: into :: _ -> float into, float out
        | [ n ] -> float n, float n
        | [] -> 1.0, 1.0

    let known = Dictionary<string, Tensor.Tensor>()

    member _.Dims = dims

    member this.Of(symbol: Symbol) : Tensor.Tensor =
        match known.TryGetValue symbol.Name with
        | true, value -> value
        | _ ->
            let value = given symbol |> Option.defaultWith (fun () -> this.Declared symbol)
            known[symbol.Name] <- value
            value

    member private this.Run(e: Expr) = Evaluate.run this.Of dims [ e ] |> List.head

    member private this.Filled (s: Symbol) (e: Expr) = this.Run(Build.broadcastTo s.Shape e)

    member private this.Initial (s: Symbol) (initializer: Typed.Initializer) =
        let into, out = fans s

        match initializer with
        | Typed.Value e -> this.Filled s e
        | Typed.Normal(mean, deviation) -> drawn s (fun () -> mean + deviation * gaussian ())
        | Typed.Uniform(low, high) -> drawn s (fun () -> uniform low high)
        | Typed.XavierUniform -> drawn s (fun () -> uniform -1.0 1.0 * sqrt (6.0 / (into + out)))
        | Typed.XavierNormal
        | Typed.Orthogonal -> drawn s (fun () -> gaussian () * sqrt (2.0 / (into + out)))
        | Typed.KaimingUniform -> drawn s (fun () -> uniform -1.0 1.0 * sqrt (6.0 / into))
        | Typed.KaimingNormal -> drawn s (fun () -> gaussian () * sqrt (2.0 / into))
        | Typed.LinearDefault fanIn ->
            drawn s (fun () -> uniform -1.0 1.0 / sqrt (float (Dim.evaluate dims fanIn)))

    member private this.Declared(s: Symbol) : Tensor.Tensor =
        let missing what = invalidArg s.Name (sprintf "%s has no value: set it (%s)" s.Name what)

        match s.Role with
        | Parameter ->
            let p = model.Parameters |> List.find (fun p -> p.Symbol = s)
            this.Initial s p.Initializer
        | Constant ->
            match model.Constants |> List.tryFind (fun c -> c.Symbol = s) with
            | Some c -> this.Filled s c.Value
            | None -> missing "a constant"
        | State ->
            match model.Initials |> List.tryFind (fun (initial, _) -> initial.Name = s.Name) with
            | Some(_, e) -> this.Filled s e
            | None -> missing "a state without init"
        | Time -> Tensor.scalar (model.Solve.Start |> Option.defaultValue 0.0)
        | Control
        | Increment
        | Sample
        | Step
        | Cotangent
        | Tangent -> missing "an external signal"
